"""Ray of our own listens on this machine alone; a cluster that was asked for is joined as it is."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from mspgt.study.cluster import on_ray


class Asked(Exception):
    pass


@pytest.mark.parametrize(("address", "loopback"), [(None, True), ("10.0.0.1:6379", False)])
def test_ray_is_bound_to_loopback_unless_a_cluster_is_named(
    monkeypatch: pytest.MonkeyPatch, address: str | None, loopback: bool
) -> None:
    seen: dict[str, Any] = {}

    def init(**settings: Any) -> None:
        seen.update(settings)
        raise Asked

    # What the library is asked for, since the library itself is an extra that may be absent.
    ray, util, queue = (types.ModuleType(name) for name in ("ray", "ray.util", "ray.util.queue"))
    ray.init, ray.is_initialized, ray.shutdown, queue.Queue = init, lambda: False, lambda: None, object  # type: ignore[attr-defined]
    for module in (ray, util, queue):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if address:
        monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(Asked):
        on_ray([], None, None)  # type: ignore[arg-type]
    assert ("_node_ip_address" in seen) == loopback
    # Ray puts the address of the network in the place of 127.0.0.1 and localhost.
    assert seen.get("_node_ip_address") not in ("127.0.0.1", "localhost")
    assert not loopback or str(seen["_node_ip_address"]).startswith("127.") == (sys.platform == "linux")
    assert seen["include_dashboard"] is False

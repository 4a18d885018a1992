"""Ray of our own listens on this machine alone; a cluster that was asked for is joined as it is."""

from __future__ import annotations

import os
import sys
import types
from typing import Any

import pytest

from mspgt.errors import MspgtError
from mspgt.study.cluster import _start, on_ray


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
    for name in ("RAY_ADDRESS", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"):
        monkeypatch.setenv(name, "")  # so that what is set here is taken back
        monkeypatch.delenv(name)
    if address:
        monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(Asked):
        on_ray([], None, None)  # type: ignore[arg-type]
    assert (seen.get("_node_ip_address") == "127.0.0.1") == loopback
    # Without this Ray puts the address of the network in the place of 127.0.0.1.
    assert (os.environ.get("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER") == "0") == loopback
    assert seen["include_dashboard"] is False


@pytest.mark.parametrize(("slow", "told"), [(2, None), (3, "too busy"), (0, "no such cluster")])
def test_a_start_that_was_too_slow_is_tried_again_and_no_other_fault_is(slow: int, told: str | None) -> None:
    tries = []

    def init(**_: Any) -> None:
        tries.append(1)
        if len(tries) <= slow:
            raise Exception("The current node timed out during startup.")
        if slow == 0:
            raise ConnectionError("no such cluster")

    ray = types.SimpleNamespace(init=init, shutdown=lambda: None)
    if told is None:
        _start(ray, {})
    else:
        with pytest.raises((MspgtError, ConnectionError), match=told):
            _start(ray, {})
    assert len(tries) == (1 if slow == 0 else 3)

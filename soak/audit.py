"""Known weaknesses of the releases in requirements.lock, as pip-audit is told by the package index, or else by OSV.

`python -m soak audit` needs pip-audit on the path (`pipx install pip-audit`) and a network; without either, or where
neither service knows of our releases, the row says so and leaves its figures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from soak.record import record

LOCK = Path(__file__).parents[1] / "requirements.lock"
SERVICES = {"pypi": "the package index", "osv": "OSV"}


def asked(program: str, service: str) -> list[dict[str, Any]] | str:
    """What a service says of every release, or why it says nothing."""
    command = [program, "--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([*command, "-s", service, "-r", str(LOCK)], capture_output=True, text=True)
    if not done.stdout.strip():
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer"
    found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    if all("skip_reason" in one for one in found):
        return "it knows none of the releases, so that nothing is known of their weaknesses"
    return found


def main() -> None:
    program = shutil.which("pip-audit")
    if program is None:
        sys.stderr.write(
            "audit: pip-audit is not installed (pipx install pip-audit); the row is left as it is\n"
        )
        return
    for service, name in SERVICES.items():
        found = asked(program, service)
        if not isinstance(found, str):
            tell(name, found)
            return
        sys.stderr.write(f"audit: {name}: {found}\n")
    sys.stderr.write("audit: nobody answered; the row is left as it is\n")


def tell(name: str, found: list[dict[str, Any]]) -> None:
    """The row, of what one service said."""
    known = {
        f"{one['name']} {one['version']}": sorted(weakness["id"] for weakness in one["vulns"])
        for one in found
        if one.get("vulns")
    }
    skipped = sorted(one["name"] for one in found if "skip_reason" in one)
    seen = f"{sum(map(len, known.values()))} known weaknesses" + (f": {', '.join(known)}" if known else "")
    if skipped:
        seen += f"; not known to it: {', '.join(skipped)}"
    record("audit", "packaging", None, [
        {"done": f"{name} asked about every locked release (`pip-audit`)", "count": len(found) - len(skipped),
         "weaknesses": known, "skipped": skipped, "seen": seen}
    ])  # fmt: skip

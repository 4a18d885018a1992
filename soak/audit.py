"""Known weaknesses of the releases in requirements.lock, as pip-audit is told by the package index.

`python -m soak audit` needs pip-audit on the path (`pipx install pip-audit`) and a network; without either the row
says so and leaves its figures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from soak.record import record

LOCK = Path(__file__).parents[1] / "requirements.lock"


def main() -> None:
    program = shutil.which("pip-audit")
    if program is None:
        sys.stderr.write(
            "audit: pip-audit is not installed (pipx install pip-audit); the row is left as it is\n"
        )
        return
    command = [program, "--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([*command, "-r", str(LOCK)], capture_output=True, text=True)
    if not done.stdout.strip():
        sys.stderr.write(f"audit: no answer, the row is left as it is:\n{done.stderr[-1500:]}\n")
        return
    asked = json.loads(done.stdout)["dependencies"]
    known = {
        f"{one['name']} {one['version']}": sorted(weakness["id"] for weakness in one["vulns"])
        for one in asked
        if one.get("vulns")
    }
    skipped = sorted(one["name"] for one in asked if "skip_reason" in one)
    if len(skipped) == len(asked):
        sys.stderr.write("audit: the index knows none of the releases, so that nothing is known of their weaknesses; "
                         "the row is left as it is\n")  # fmt: skip
        return
    seen = f"{sum(map(len, known.values()))} known weaknesses" + (f": {', '.join(known)}" if known else "")
    if skipped:
        seen += f"; not known to the index: {', '.join(skipped)}"
    record("audit", "packaging", None, [
        {"done": "every locked release asked about (`pip-audit`)", "count": len(asked) - len(skipped),
         "weaknesses": known, "skipped": skipped, "seen": seen}
    ])  # fmt: skip

"""One result file per benchmark: figures, hardware, versions."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def record(name: str, figures: dict[str, Any]) -> None:
    """Write bench/results/<name>.json and print the figures."""
    import torch

    import mspgt

    hardware = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch_threads": torch.get_num_threads(),
        "load_average": [round(x, 2) for x in os.getloadavg()],
    }
    versions = {"mspgt": mspgt.__version__}  # which need not be installed
    versions |= {p: version(p) for p in ("torch", "transformers", "numpy")}
    RESULTS.mkdir(exist_ok=True)
    content = {
        "benchmark": name,
        "figures": figures,
        "hardware": hardware,
        "python": platform.python_version(),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps({**content, "versions": versions}, indent=1) + "\n")
    print(name, json.dumps(figures, indent=1))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()

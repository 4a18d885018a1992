"""`python -m soak [ROW...]`: run the rows (all, or those named), each into a file of its own, and draw the table.

A row that fails leaves its old figures as they are and the command ends with its error; the others can be run alone.
"""

from __future__ import annotations

import argparse
import importlib

from soak.record import ROWS
from soak.table import write_page

parser = argparse.ArgumentParser(prog="soak")
parser.add_argument("rows", nargs="*", choices=[*ROWS, []], default=[])
for name in parser.parse_args().rows or ROWS:
    importlib.import_module(f"soak.{name}").main()
    write_page()

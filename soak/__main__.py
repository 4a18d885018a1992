"""`python -m soak [ROW...]`: run the rows (all, or those named), each into a file of its own, and draw the table.

A row that fails leaves its old figures as they are and the command ends with its error; the others can be run alone.
Rows of many parts (levels, fuzz, guided, mutants, fresh) take `--only PART`, more than once, and keep what is stored
of the others.
"""

from __future__ import annotations

import argparse
import importlib

from soak.record import ROWS

parser = argparse.ArgumentParser(prog="soak")
parser.add_argument("rows", nargs="*", choices=[*ROWS, []], default=[])
parser.add_argument(
    "--only", action="append", default=[], metavar="PART", help="intervals, kinds of input, or modules"
)
asked = parser.parse_args()
for name in asked.rows or ROWS:
    row = importlib.import_module(f"soak.{name}")
    row.main(asked.only) if asked.only else row.main()

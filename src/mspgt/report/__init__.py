"""Tables, figures and one page, from results alone."""

from mspgt.report.build import build_report
from mspgt.report.table1 import summary_lines

__all__ = ["build_report", "summary_lines"]

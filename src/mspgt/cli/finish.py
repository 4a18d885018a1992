"""How a command that runs a study ends: the run, its page, and what the terminal says of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mspgt.cli.options import Running, say

if TYPE_CHECKING:
    from mspgt.study.config import StudyConfig


def finish(config: StudyConfig, running: Running) -> None:
    """Run, build the report, print the story, Table 1, effects, verdicts and where the page is."""
    from mspgt.errors import StoppedError
    from mspgt.report import build_report, summary_lines
    from mspgt.report.accounts import where_lines
    from mspgt.report.effect_section import effect_lines
    from mspgt.report.functional import functional_lines
    from mspgt.report.predictions import verdict_lines
    from mspgt.report.replicated import replicated_lines
    from mspgt.report.story import story_lines
    from mspgt.results import read
    from mspgt.study.run import run_study

    out = running.out or Path("runs") / config.name
    try:
        run_study(config, out, quiet=running.quiet)
    except KeyboardInterrupt:  # caught here, or the command-line library would answer with a bare word
        raise StoppedError(
            "stopped. Finished stages are kept; run the same command again to go on from them."
        ) from None
    page, results = build_report(out), read(out)
    told = (story_lines, summary_lines, functional_lines, where_lines, replicated_lines, effect_lines)
    for lines in told:
        for line in lines(results):
            say(line)
    for line in verdict_lines(results, untested=False):
        say(line)
    judged = sum(one.verdict != "not testable" for one in results.predictions.values())
    say(f"{judged} of {len(results.predictions)} predictions could be tested; the page has the reasons.")
    say(f"\nPage: {page.resolve()}")

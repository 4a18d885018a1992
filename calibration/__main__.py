"""`python -m calibration [NAME] [options]`, the names below; without a name, all of them.

What is stored from the same recipe and code is read, so a run that was stopped goes on where it was.
"""

import sys

from calibration import (
    detector,
    documents,
    far_misses,
    figures,
    functional,
    jumps,
    languages,
    paper,
    phases,
    power,
    sentence_noise,
    stacks,
    truths,
    validate,
)
from calibration.worlds import rates


def main() -> None:
    rooms = {
        "paper": paper.main,
        "detector": detector.main,
        "power": power.main,
        "validate": validate.main,
        "languages": languages.main,
        "truths": truths.main,
        "stacks": stacks.main,
        "functional": functional.main,
        "phases": phases.main,
        "jumps": jumps.main,
        "far-misses": far_misses.main,
        "sentence-noise": sentence_noise.main,
        "documents": documents.main,
        "worlds": rates.main,
        "figures": figures.main,
    }
    if len(sys.argv) > 1 and sys.argv[1] in rooms:
        rooms[sys.argv[1]](sys.argv[2:])
        return
    for room in rooms.values():
        room(sys.argv[1:])


main()

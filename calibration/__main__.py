"""`python -m calibration [paper | detector | validate | languages | truths] [options]`; without a name, all five."""

import sys

from calibration import detector, languages, paper, truths, validate


def main() -> None:
    rooms = {
        "paper": paper.main,
        "detector": detector.main,
        "validate": validate.main,
        "languages": languages.main,
        "truths": truths.main,
    }
    if len(sys.argv) > 1 and sys.argv[1] in rooms:
        rooms[sys.argv[1]](sys.argv[2:])
        return
    for room in rooms.values():
        room(sys.argv[1:])


main()

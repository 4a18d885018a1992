"""`python -m calibration [paper | detector | validate] [options]`; without a name, all three."""

import sys

from calibration import detector, paper, validate


def main() -> None:
    rooms = {"paper": paper.main, "detector": detector.main, "validate": validate.main}
    if len(sys.argv) > 1 and sys.argv[1] in rooms:
        rooms[sys.argv[1]](sys.argv[2:])
        return
    for room in rooms.values():
        room(sys.argv[1:])


main()

"""`python -m calibration [paper | detector] [options]`: the simulations behind the shipped tables, both by default."""

import sys

from calibration import detector, paper


def main() -> None:
    rooms = {"paper": paper.main, "detector": detector.main}
    if len(sys.argv) > 1 and sys.argv[1] in rooms:
        rooms[sys.argv[1]](sys.argv[2:])
        return
    for room in rooms.values():
        room(sys.argv[1:])


main()

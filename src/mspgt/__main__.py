"""`python -m mspgt`: the command line where its script is not on the path."""

from mspgt.cli import main

if __name__ == "__main__":
    main()

"""The long versions of the tests of trust: `make soak`, or `python -m soak ROW...`; figures in soak/results."""

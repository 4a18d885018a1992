"""Planted faults that no test sees, and why each changes no number and no promise."""

EXPLAINED: dict[str, dict[str, str]] = {}

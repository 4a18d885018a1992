"""Speed, as ratios within one run: against the plain forward pass and against what a user would otherwise use."""

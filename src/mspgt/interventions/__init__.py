"""What each scale does: noise into one scale at a time, and what becomes of the text (Experiment 2)."""

"""Predictions of the theory and what results say of them: one file a prediction, one verdict type."""

"""Planted subjects: truth that is known, through the code that measures models. Positive and negative controls."""

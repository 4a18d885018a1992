"""Planted truth in closed form: the TriScale language, activation stacks and Gaussian chains."""

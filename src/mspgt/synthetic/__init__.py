"""Planted truth: the TriScale language, activation stacks and Gaussian chains, with everything in closed form."""

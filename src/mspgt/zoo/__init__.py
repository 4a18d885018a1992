"""Bundled tiny models: recipes, training, weights, and the same for a user's own text."""

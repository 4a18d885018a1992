"""Functional scales: at which depth a model holds, of each kind of context, what the word alone does not tell."""

"""mspgt: find the scales inside a language model."""

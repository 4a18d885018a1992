"""Small results of many models, side by side, to which anybody can add their own."""

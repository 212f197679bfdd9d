"""Results as text in a terminal: ``x.py`` draws the result of command ``x`` and computes nothing."""

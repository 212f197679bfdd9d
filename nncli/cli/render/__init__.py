"""Results as text in a terminal, one module per command."""

"""A trained run as a function from raw rows to outputs; nothing is trained or written."""

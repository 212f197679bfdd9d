"""The training loop and its state; no files, no signals, no terminal."""

"""Files, time and signals: assembling, training, the run directory, evaluating, comparing; it prints nothing."""

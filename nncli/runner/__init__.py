"""Start, resume and reload runs: the one package that joins the training loop and the run directory."""

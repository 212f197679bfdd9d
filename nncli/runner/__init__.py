"""Train, resume and reload runs: the package that joins the training loop and the run directory."""

"""Groups of runs: what varies, which trials there are, and the searches that choose them."""

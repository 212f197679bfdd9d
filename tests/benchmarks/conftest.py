"""What pytest, which looks for doctests in every module, leaves alone: the rivals need libraries that it does not."""

collect_ignore = ["rivals"]

"""Baselines are not collected: they need libraries that the tests do not."""

collect_ignore = ["baselines"]

"""The YAML config as validated values with source locations; knows no arrays, data files or terminal."""

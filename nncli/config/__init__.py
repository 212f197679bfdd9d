"""The YAML document as validated data, with the place of every value; no arrays, no files, no terminal."""

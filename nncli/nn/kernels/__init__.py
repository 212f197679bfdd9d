"""Array operations and memory layout that make the formulas of layers fast; nothing here knows a layer."""

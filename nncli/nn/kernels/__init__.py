"""Array operations and memory layout behind the formulas of the layers; nothing here depends on a layer."""

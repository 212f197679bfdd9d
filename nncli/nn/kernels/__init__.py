"""Array operations and memory layout that the layers are implemented with; nothing here depends on a layer."""

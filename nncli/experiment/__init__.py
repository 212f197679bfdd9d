"""From a config to the objects that it describes; trains nothing, writes nothing."""

"""From a config to the objects that it describes; nothing is trained or written."""

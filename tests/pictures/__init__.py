"""Pictures in the documents, each drawn by a command from a real run."""

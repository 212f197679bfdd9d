"""Images in the documents, each made by a command from a real run."""

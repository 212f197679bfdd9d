"""One module per command: it parses the command line, calls the library, and passes the result to its render module."""

"""One module per command: it parses the command line, calls the library, and passes the result on to be drawn."""

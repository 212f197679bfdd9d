"""The report of runs as one HTML file: its content as plain data, and the page that draws it."""

"""The report of runs as one HTML file: what it says and shows, as plain data, and the page that draws it."""

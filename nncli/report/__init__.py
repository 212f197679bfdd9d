"""The data of every plot of a run; nothing is drawn, printed or written."""

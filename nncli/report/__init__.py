"""The data of every picture of a run, as the network says it; nothing is drawn, printed or written."""

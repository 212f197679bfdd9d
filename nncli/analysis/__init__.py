"""What runs and configs say: evaluate, compare, list, verify, explain, profile, check gradients; nothing is written."""

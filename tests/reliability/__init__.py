"""Harnesses that attack the package from outside: damage, hostile input, and faults planted to test the harnesses."""

"""What happens when something goes wrong: faults put in on purpose and counted, each module a command of its own."""

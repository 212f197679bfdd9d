"""Results and runs of nncli 0.4.1, compared with those of the working tree."""

"""The installation: its epoch, its signs of life and the activation of a restored database."""

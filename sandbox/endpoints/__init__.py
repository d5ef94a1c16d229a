"""The simulator's answers, one group of operations a file."""

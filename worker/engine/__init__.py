"""Running stages: the chain of messages, the due scan, the call pool and the commits. It knows no stage by name."""

"""One recipient: validation, normal forms, digests and identity."""

"""Checks right before checkout; each is `check(job)` and returns a result, or None to go on."""

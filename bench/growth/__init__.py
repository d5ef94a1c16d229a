"""Whether a full memory slows the work: the same mailings beside a thousand finished ones, and beside a million."""

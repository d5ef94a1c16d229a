"""A steady load for a long time: whatever still grows once everything has warmed up would grow for ever."""

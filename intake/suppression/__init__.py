"""Suppression lists and their import from files."""

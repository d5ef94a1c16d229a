"""Periodic."""

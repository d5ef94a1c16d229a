"""Notifications of receivers: the outbox, signatures, event secrets and connections to public addresses only."""

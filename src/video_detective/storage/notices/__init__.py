"""Channels, the outbox of notifications, and counted requests."""

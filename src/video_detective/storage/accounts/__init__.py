"""Accounts, users, sessions, keys and the audit log."""

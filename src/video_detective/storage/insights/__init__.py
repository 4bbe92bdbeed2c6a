"""Alerts and insights."""

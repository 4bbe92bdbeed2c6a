"""Attribute records and their sums."""

"""Nodes, live analyses and uploaded files."""

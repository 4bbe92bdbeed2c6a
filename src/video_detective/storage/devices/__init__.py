"""Devices, scenes and their versions."""

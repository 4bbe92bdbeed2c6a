"""Insights: an alert described in a fixed schema, by a model or by template."""

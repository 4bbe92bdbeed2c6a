"""Version 1 of the service: one module for each resource."""

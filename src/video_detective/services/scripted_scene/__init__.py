"""A film whose script says exactly what happens in it: for ``selftest`` and the demonstration."""

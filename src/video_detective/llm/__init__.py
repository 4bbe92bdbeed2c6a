"""The wire to model servers."""

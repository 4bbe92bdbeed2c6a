"""Model weights: what there is, fetching, converting, verifying."""

"""What happened and who was seen, counted where it lies: no statistic loads what it counts."""

"""What questions and events have in common: tokens, concepts, times, and how matches are ranked."""

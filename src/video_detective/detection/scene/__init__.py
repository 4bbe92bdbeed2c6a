"""What stays in a camera's picture and what does not: background, view, things at rest."""

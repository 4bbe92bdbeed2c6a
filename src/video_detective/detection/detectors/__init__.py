"""Networks that find objects in a picture, behind one Protocol; ``registry`` makes them by name."""

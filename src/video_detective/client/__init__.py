"""A typed client of the REST interface, for programs of others. It knows nothing of the server."""

"""Use cases, shared by every front end; here the parts are put together."""

"""One file per use case: what the desk does, between the edges and the store."""

"""Images of services: what they are built from, the builder, and the record of their digests."""

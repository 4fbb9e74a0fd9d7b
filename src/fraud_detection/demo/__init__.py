"""`make stream`: simulated transactions through a real broker, scored live, compared with batch."""

"""Tables, landing formats, parsing, calendar days, simulator."""

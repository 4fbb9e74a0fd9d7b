"""Features: one kernel over time-ordered events, and its adapter for Arrow."""

"""The example's pipeline, one module per step: the part that a team replaces with its own."""

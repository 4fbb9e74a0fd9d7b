"""The example's pipeline, one module a step: the part that a team replaces with its own."""

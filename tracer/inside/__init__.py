"""The half of the recorder that runs inside the traced program: standard library only."""

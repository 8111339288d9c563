"""The recorder: what runs in, and starts, the traced program."""

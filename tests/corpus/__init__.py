"""Changes that must never be accepted, and changes that should be: by subject, each with a name."""

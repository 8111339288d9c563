"""The language-model engine: what is asked, of whom, at what cost, and what becomes of the answers."""

"""Text for people: tables, diffs and summaries."""

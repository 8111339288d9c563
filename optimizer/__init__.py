"""Ranking, proposing, verifying, measuring and choosing faster functions."""

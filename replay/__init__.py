"""Calling recorded calls again, comparing, and writing replay tests."""

"""Canonical patterns, sameness, merging, confidence, expiry."""

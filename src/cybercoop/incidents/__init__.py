"""Incidents: cases of one organisation, what they are called, and until when they are reported."""

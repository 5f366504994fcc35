"""STIX objects as they arrive: bytes, times, schema."""

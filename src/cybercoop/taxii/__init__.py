"""TAXII 2.1 on the wire."""

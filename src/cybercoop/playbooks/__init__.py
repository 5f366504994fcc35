"""CACAO 2.0 documents: parse, check, sign, and hand them to whoever carries them out."""

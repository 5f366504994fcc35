"""Things coming in."""

"""Everything remembered; the only room with SQL."""

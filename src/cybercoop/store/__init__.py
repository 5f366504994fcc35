"""Everything remembered; the only room with SQL, one file per noun."""

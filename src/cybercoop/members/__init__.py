"""Who takes part: organisations, people, groups, credentials."""

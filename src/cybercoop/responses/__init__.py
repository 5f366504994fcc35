"""Playbooks being carried out: one response, a run for each county, tasks for its people."""

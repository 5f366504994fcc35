"""The one place that decides who may receive what."""

"""The ``cybercoop`` command."""

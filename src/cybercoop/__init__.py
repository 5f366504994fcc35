"""cybercoop: a virtual center that county administrations run together."""

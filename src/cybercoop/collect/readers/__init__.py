"""One file per format that comes in; ``reading.readers`` finds them, ``_`` files are shared."""

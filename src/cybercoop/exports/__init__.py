"""Things going out that are not TAXII: feeds that devices fetch, and how to set a device up."""

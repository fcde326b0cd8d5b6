"""Natural languages: their names, and which one a text is in."""

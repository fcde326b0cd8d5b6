"""Files that a page or a program sends, to be looked at and added to the index."""

"""Tables of every kind of file, each read as rows of values by column."""

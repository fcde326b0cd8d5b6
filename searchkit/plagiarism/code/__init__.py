"""Programs: the pairs among answers that are code; begin in `detector`."""

"""Groups: authors whose answers are findings together."""

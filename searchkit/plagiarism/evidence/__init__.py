"""Evidence: what a person can read in two answers that are too much alike, and the verdict."""

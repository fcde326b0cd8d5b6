"""Exports that are tables: for each a function that returns the layout if the header fits."""

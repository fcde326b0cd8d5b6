"""Exports that are nested: for each the rows that are in it; XML goes through `elements`."""

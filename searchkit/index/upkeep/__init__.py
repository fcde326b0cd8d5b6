"""Maintenance of an index: `status`, `verify`, `copying` to another place, `reindex`."""

"""Findings, equal answers and chance as tables, rows and words."""

"""Exports of learning platforms, surveys and data sets: a file a format, and a table of all."""

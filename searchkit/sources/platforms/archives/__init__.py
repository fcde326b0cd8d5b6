"""Zips and folders that learning platforms make of submissions; begin in `archives.py`.

A file for each platform has a function that recognizes the names and returns what says, for a
name, whose submission it is (`Submission`), or why it is none.
"""

"""Layouts: which columns of a table hold the answers, their authors and their questions."""

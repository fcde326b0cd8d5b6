"""Exports of forms and surveys: a row a person, a column a question; a function for each."""

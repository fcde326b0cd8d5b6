"""Workbooks; begin in `workbook`. Those that aren't .xlsx are read in a process of their own."""

"""Figures, the HTML report, and the table of runs."""

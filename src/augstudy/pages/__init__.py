"""Figures, the HTML report, and the overview of runs."""

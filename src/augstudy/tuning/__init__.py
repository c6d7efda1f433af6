"""Sweeps: which settings to try, what they were found to be worth, and the page that shows it."""

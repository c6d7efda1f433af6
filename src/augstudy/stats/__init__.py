"""Paired differences, scatter of runs, power, learning curves, promotion: numbers and codes."""

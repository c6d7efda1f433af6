"""augstudy: would synthetic images help my classifier, how much, and how sure are we?"""

__version__ = "0.1.0"

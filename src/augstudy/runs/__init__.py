"""The tracker: one record a run, how records are stored, asked for and compared."""

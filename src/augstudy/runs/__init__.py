"""The tracker: one record per run, how records are stored, asked for and compared."""

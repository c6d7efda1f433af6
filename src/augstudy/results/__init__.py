"""What a run found: the only writers and readers of summary.json and decision.json."""

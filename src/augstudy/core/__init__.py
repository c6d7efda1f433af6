"""What everything stands on: errors, files, artifacts, cache, fingerprints, telemetry."""

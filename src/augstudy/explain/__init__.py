"""Why a classifier decided as it did."""

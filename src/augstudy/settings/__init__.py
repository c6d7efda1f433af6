"""What a study may ask for: rules and defaults, no words that a reader sees."""

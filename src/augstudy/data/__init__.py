"""Sources of drawings, and data sets made of them."""

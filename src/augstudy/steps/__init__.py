"""One module per step: directories in, directory out."""

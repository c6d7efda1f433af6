"""One module a step: directories in, directory out."""

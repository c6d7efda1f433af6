"""A web page over the runs of a folder or a bucket, served on this machine and only for reading."""

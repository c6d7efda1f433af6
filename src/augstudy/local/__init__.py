"""Runs the pipelines on this machine, without a cluster, and keeps a folder for each run."""

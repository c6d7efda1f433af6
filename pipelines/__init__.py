"""The pipelines: each module holds one, named like the module."""

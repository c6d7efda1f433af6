"""The figures of the report: each function takes plain data and returns a data URI."""

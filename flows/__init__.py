"""Prefect flows and the command line: thin hands that read, call the library and write to the warehouse."""

"""The library: arrays, images, models and statistics. It knows nothing of Prefect, DuckDB or the warehouse."""

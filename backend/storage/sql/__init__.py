"""Storage in a relational database: one schema, functions over a connection, and an executor for each engine."""

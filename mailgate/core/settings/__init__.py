"""`rules.toml`: its schema, its checks, and polite errors."""

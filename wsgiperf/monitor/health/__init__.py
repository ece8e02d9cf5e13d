"""Health checks: whether what the application depends on answers, asked from threads of their own."""

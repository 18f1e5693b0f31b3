"""Effects on the world, each a drain over rows that were written with the decisions."""

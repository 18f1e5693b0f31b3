"""Settings, names and logging: what every room may use and nothing that knows another room."""

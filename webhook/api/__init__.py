"""The API for applications: JSON in, JSON out, a key in every request."""

"""The database: what arrived, what it meant, what was decided, and what is to be done. The truth of this service."""

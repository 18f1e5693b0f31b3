"""How fast the real processes are, beside what a user would write from the framework docs."""

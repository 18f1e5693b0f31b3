"""One module for each change of the tables. Never edit one that was released: add another."""

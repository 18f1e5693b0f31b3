"""The `dlr` command, one file for each group of commands."""

"""Changes of the tables from release to release, run by `store.migrate`."""

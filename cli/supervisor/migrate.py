"""A program of its own for the migration: what it imports is not to stay in the supervisor's memory for weeks."""

import sys

from config.settings import load_settings
from store.errors import StoreError
from store.migrate import migrate


def main() -> int:
    """Migrate the database of the environment's settings; say in one line why that cannot be done."""
    try:
        migrate(load_settings())
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

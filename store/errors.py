"""What can go wrong with the database.

StoreError             base; each has the next step in its text
 ├── Unavailable        it cannot be reached, is locked, or its disk is full: nothing was written, try again
 ├── NotMigrated        its tables are missing or older than this release
 │    ├── TooNew        its tables are those of a newer release
 │    └── HalfThere     of SQLite's two files one is missing
 └── KeyMismatch        the keys in the state folder are missing or are not the ones this database was written with
      └── UnknownKey    a content was sealed with a key that is not in the key file, perhaps not yet
"""


class StoreError(Exception):
    """Base of this room's errors."""


class Unavailable(StoreError):
    """The database cannot be reached, is locked by another writer, or cannot write. Nothing was kept; repeat later."""


class NotMigrated(StoreError):
    """The tables are missing or older than this release: run `dlr migrate`."""


class TooNew(NotMigrated):
    """The tables are those of a newer release: run that release, or restore the backup from before its migration."""


class HalfThere(NotMigrated):
    """Of SQLite's two files one is missing: restore both from the same backup."""


class KeyMismatch(StoreError):
    """The key files are missing or foreign. Restore them from the backup; new ones could not read what is stored."""


class UnknownKey(KeyMismatch):
    """A content was sealed with a key that is not in the key file: copy it from the host that has it, or restore it."""

"""What all tables hang on.

Milliseconds for times, JSON text for what is only shown, bytes for keys and sealed content. Every key begins with the
account, or is a hash over it: message ids repeat between Infobip sub-accounts. Ids begin with the time (`store.ids`),
so whatever is asked for by age needs no index of its own.
"""

from typing import Final

from sqlalchemy import MetaData

metadata: Final = MetaData()

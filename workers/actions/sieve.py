"""What the relay keeps back: reports on messages that this service sent again, whose ids no application knows."""

import gzip
from collections.abc import Iterable

from config.logs import log
from config.settings import Settings
from infobip.inbound import InboundError, read
from infobip.inbound.cut import Uncuttable, without
from infobip.outbound.signature import signature_of
from reports import Event, Report, normalise
from store import aliases
from store.database import Database
from store.messages import key_of
from store.raw import Raw
from store.relays import Plain, open_plain
from store.vault import Vault

_LOG = log(__name__)
_GZIP = b"\x1f\x8b"
# Headers that tell of the very bytes of a body, and would tell wrongly of any others.
_OF_THE_BYTES = frozenset({"content-md5", "digest", "content-digest", "repr-digest"})


class Sieve:
    """Takes reports on our own resends out of callbacks. One for all threads of a worker."""

    def __init__(self, settings: Settings, database: Database, vault: Vault) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._in_use = False

    def without_ours(self, callback_id: int, raw: Raw) -> Raw | None:
        """Return the callback without reports on our own resends, or None where nothing is left of it.

        It is `raw` itself where it holds none, where it cannot be read, and where nothing can be taken out of it
        safely: a report too many is better than one too few. Raises `store.errors.Unavailable`.
        """
        with self._database.reading() as connection:
            # A resend's id is kept before the request leaves, so no report on it comes before.
            self._in_use = self._in_use or aliases.in_use(connection)
            plain = open_plain(connection, self._vault, callback_id) if self._in_use else None
        if plain is None:
            return raw
        keys, received = self._read(callback_id, plain)
        ours = self._ours(keys)
        if not ours:
            return raw
        if len(ours) == received:
            return None
        try:
            body = without(plain.body, plain.content_type, ours)
        except Uncuttable as error:
            _LOG.warning("relay_uncut", callback_id=str(callback_id), resends=len(ours), reason=str(error))
            return raw
        return self._anew(plain, raw, body)

    def _read(self, callback_id: int, plain: Plain) -> tuple[dict[int, list[bytes]], int]:
        """Return the keys of the messages that each item may be about, by its place, and how many items there are."""
        try:
            reading = read(plain.body, plain.content_type, plain.channel, account=plain.account)
        except InboundError:
            return {}, 0
        except Exception:  # whatever our own code makes of a body, it is passed on
            _LOG.exception("relay_unread", callback_id=str(callback_id))
            return {}, 0
        return {item.index: list(self._keys(item.report)) for item in reading.items}, reading.received

    def _keys(self, report: Report) -> Iterable[bytes]:
        if not report.message_id or report.event is Event.INBOUND:
            return
        yield key_of(self._vault, report.account, report.message_id, report.recipient)
        # Seen reports and the like do not agree on who is who.
        if report.event is not Event.DELIVERY and report.sender:
            yield key_of(self._vault, report.account, report.message_id, normalise(report.sender))

    def _ours(self, keys: dict[int, list[bytes]]) -> frozenset[int]:
        wanted = {key for several in keys.values() for key in several}
        if not wanted:
            return frozenset()
        with self._database.reading() as connection:
            found = aliases.find(connection, wanted)
        return frozenset(place for place, several in keys.items() if not found.keys().isdisjoint(several))

    def _anew(self, plain: Plain, raw: Raw, body: bytes) -> Raw:
        """Return a callback with another body, packed as the first one was, and signed where we can vouch for it."""
        if raw.body.startswith(_GZIP):
            body = gzip.compress(body, mtime=0)  # the same bytes at every repetition
        false = {*_OF_THE_BYTES, self._settings.hmac_header.lower()}
        headers = {name: value for name, value in raw.headers.items() if name.lower() not in false}
        if plain.trusted:
            headers |= signature_of(self._settings, body)
        return Raw(headers, body)

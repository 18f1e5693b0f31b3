"""What one worker process holds: opened after the fork, shared by its tasks."""

import os
import socket
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from codes import CAUSES, Codes, load_codes
from codes.channels import CHANNELS
from config.alert_routes import RoutesFile
from config.forwarding import ForwardFile
from config.logs import log
from config.relays import Relays
from config.settings import Settings, load_settings
from infobip.outbound.signature import signature_of
from policy import PolicyError, Rules, load_policy
from reports.words import OptWords
from store.database import Database, open_database
from store.events import told_to
from store.revision import require_migrated
from store.vault import Vault, open_vault
from workers.drain import Drain
from workers.pace import Rest
from workers.passing import Passing
from workers.pipeline import Pipeline
from workers.prepare import Preparer

_LOG = log(__name__)


@dataclass(slots=True)
class Context:
    """Collaborators of the tasks of one process."""

    settings: Settings
    database: Database
    vault: Vault
    codes: Codes
    policy: "PolicyFile"
    preparer: Preparer
    pipeline: Pipeline
    routes: RoutesFile
    owner: str
    forward: ForwardFile
    rest: Rest = field(default_factory=Rest)

    @property
    def drain(self) -> Drain:
        """A drain under the policy in force now."""
        self.pipeline.rules = self.policy.rules()
        return Drain(self.database, self.vault, self.preparer, self.pipeline, self.owner, rest=self.rest)


class PolicyFile:
    """The operator's policy file, read again when it changes; while the new one is wrong, the old one stays."""

    def __init__(self, path: Path | None, codes: Codes) -> None:
        self._path = path
        self._codes = codes
        self._stamp = self._stamp_now()
        self._rules = load_policy(path, codes.tables)

    def rules(self) -> Rules:
        """Return the rules in force."""
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._rules = load_policy(self._path, self._codes.tables)
                _LOG.info("policy_reloaded", version=self._rules.version)
            except (PolicyError, OSError) as error:
                _LOG.error("policy_not_reloaded", problem=str(error), next_step="`dlr policy check` tells all mistakes")
        return self._rules

    def _stamp_now(self) -> tuple[int, int]:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            found = None
        return (found.st_mtime_ns, found.st_size) if found else (0, 0)


def open_context(settings: Settings) -> Context:
    """Open everything. Raises `store.errors.StoreError`, `codes.CodesError`, `policy.PolicyError`, `SettingsError`."""
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous)
    try:
        return _on(settings, database)
    except BaseException:
        database.close()
        raise


def _on(settings: Settings, database: Database) -> Context:
    require_migrated(database)
    vault = open_vault(settings.state_dir, database)
    codes = load_codes(settings.codes_local)
    policy = PolicyFile(settings.policy, codes)
    words = OptWords.of(settings.stop_words, settings.stop_words_nanp, settings.start_words)
    preparer = Preparer(vault, codes, words, settings.default_channel)
    passing = Passing(vault, Relays.read(settings.relay_url), partial(signature_of, settings))
    pipeline = Pipeline(database, vault, preparer, policy.rules(), passing)
    routes = RoutesFile(settings.alert_routes, CAUSES)
    forward = ForwardFile(settings.forward, frozenset(CHANNELS))
    told_to(database, forward.endpoints)
    return Context(settings, database, vault, codes, policy, preparer, pipeline, routes, owner(), forward)


def owner() -> str:
    """Return a name for this thread of this process that no other has."""
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{threading.get_native_id()}:{os.urandom(3).hex()}"


_context: Context | None = None
_lock = threading.Lock()


def context() -> Context:
    """Return this process's context, opened at the first use: that is after the fork."""
    global _context
    with _lock:
        if _context is None:
            _context = open_context(load_settings())
        return _context


def forget_context() -> None:
    """Close this process's context. A forked child starts with none of its parent's connections."""
    global _context
    with _lock:
        if _context is not None:
            _context.database.close()
        _context = None

"""What `dlr doctor` finds, and the looks at settings, rules, endpoint, broker and host."""

import shutil
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from cli.output import counted
from cli.supervisor.valkey import running_url
from codes import CodesError, load_codes
from config.broker import make_broker
from config.secrets import Secret
from config.settings import Settings, SettingsError
from policy import PolicyError, load_policy
from webhook.accounts import Accounts
from webhook.auth import Guard, needs_first_token
from webhook.first_token import TOKEN_FILE

OK: Final = "ok"
WARNING: Final = "warning"
ERROR: Final = "error"
MIB: Final = 1 << 20
_OLDEST_REDIS: Final = (6, 2)
_DISK_LOW: Final = 1024 * MIB
_DISK_FULL: Final = 128 * MIB
_PATIENCE: Final = 2.0


class Finding(NamedTuple):
    """One thing that was looked at. `fix` says what to do where it is not in order."""

    severity: str
    check: str
    message: str
    fix: str = ""


def rules_and_codes(settings: Settings) -> Iterator[Finding]:
    """Look at the operator's own codes and rules."""
    try:
        codes = load_codes(settings.codes_local)
        yield Finding(OK, "codes", f"{counted(len(codes.tables.rows), 'code')} ({codes.tables.hash})")
    except (CodesError, OSError) as error:
        yield Finding(
            ERROR, "codes", f"{error}", "Correct the file that DLR_CODES_LOCAL names: `dlr codes check FILE`."
        )
        codes = load_codes(None)
    try:
        rules = load_policy(settings.policy, codes.tables)
        yield Finding(OK, "policy", f"{counted(len(rules.rules), 'rule')} (version {rules.version})")
    except (PolicyError, OSError) as error:
        yield Finding(ERROR, "policy", f"{error}", "Correct the file that DLR_POLICY names: `dlr policy check FILE`.")


def endpoint(settings: Settings) -> Iterator[Finding]:
    """Look at who may post callbacks, and how Infobip reaches the endpoint."""
    try:
        yield _auth(settings)
    except SettingsError as error:
        yield Finding(ERROR, "auth", f"{error}", "Correct these settings: callbacks are refused, or nothing starts.")
    url = urlsplit(settings.public_url)
    if not settings.public_url:
        fix = "Set DLR_PUBLIC_URL to the address outside, such as https://dlr.example.com."
        yield Finding(WARNING, "public url", "not set: only this machine can be told where to post", fix)
    elif url.scheme != "https":
        fix = "Put a reverse proxy with a certificate in front, and set DLR_PUBLIC_URL to https://."
        yield Finding(WARNING, "public url", "it is not https: people's addresses cross the net in clear", fix)
    else:
        yield Finding(OK, "public url", f"{settings.public_url}; `dlr doctor --public` posts a sample through it")


def _auth(settings: Settings) -> Finding:
    accounts = Accounts.from_settings(settings)
    if needs_first_token(settings):
        if not (settings.state_dir / TOKEN_FILE).exists():
            return Finding(OK, "auth", "a random URL token is made at the first start")
        if not Secret("", settings.state_dir / TOKEN_FILE):
            return Finding(ERROR, "auth", "the kept URL token is empty", f"Remove {TOKEN_FILE} and start again.")
        return Finding(OK, "auth", "the URL carries the token that was made at the first start")
    guard = Guard.from_settings(settings, accounts)
    if not guard.sets:
        fix = "Set DLR_URL_TOKEN or DLR_HMAC_SECRET, and remove DLR_ALLOW_UNAUTHENTICATED."
        return Finding(WARNING, "auth", "anybody may post; nobody is suppressed or resent to on its strength", fix)
    if settings.allow_unauthenticated:
        fix = "Remove DLR_ALLOW_UNAUTHENTICATED once Infobip's callbacks pass the checks."
        return Finding(WARNING, "auth", f"callbacks that fail {guard.describe()} are still accepted", fix)
    if guard.unused:
        fix = f"Name them in DLR_AUTH, such as DLR_AUTH={', '.join((guard.describe(), *guard.unused))}, or unset them."
        return Finding(WARNING, "auth", f"{', '.join(guard.unused)} is set up, but of no set of DLR_AUTH", fix)
    return Finding(OK, "auth", f"one of these has to pass: {guard.describe()}")


def broker(settings: Settings) -> Iterator[Finding]:
    """Look at Redis: reachable, new enough, and dropping nothing."""
    url = settings.redis_url or running_url(settings.state_dir)
    if not url:
        yield Finding(WARNING, "broker", "the bundled Valkey never ran here", "Start everything with `./start`.")
        return
    own = not settings.redis_url
    fix = "Start everything with `./start`." if own else "Start it, or correct DLR_REDIS_URL."
    fix += " Callbacks are kept meanwhile, and found once it is back."
    try:
        if urlsplit(url).scheme.startswith(("redis", "unix")):
            yield from _redis(url)
        else:
            with make_broker(url, _PATIENCE).connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=_PATIENCE)
            yield Finding(OK, "broker", f"{urlsplit(url).scheme} answers")
    except RedisError as error:
        is_off = own and isinstance(error, RedisConnectionError)
        told = "the bundled Valkey does not run" if is_off else f"it does not answer: {_first_line(error)}"
        yield Finding(ERROR, "broker", told, fix)
    except Exception as error:  # a broker of another kind raises errors of its own
        yield Finding(ERROR, "broker", f"it cannot be used: {type(error).__name__}", fix)


def _redis(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if parts.scheme == "redis+socket":
        # Celery's way of writing a socket; the client has its own.
        url = urlunsplit(("unix", parts.netloc, parts.path, "", ""))
    options = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE}
    with Redis.from_url(url, **options) as client:
        server: Any = client.info()
        listening = sum(one.get("cmd") == "brpop" for one in _clients(client))
    # Valkey tells Redis' version as well, for the sake of clients that know no other.
    name, like = str(server.get("server_name", "redis")), str(server.get("redis_version", "0"))
    version = str(server.get("valkey_version", like))
    if tuple(int(part) for part in like.split(".")[:2] if part.isdecimal()) < _OLDEST_REDIS:
        fix = "Update it: older ones lack commands that Celery relies on."
        yield Finding(ERROR, "broker", f"{name} {version} is older than 6.2", fix)
    kept = str(server.get("maxmemory_policy", "noeviction"))
    if kept != "noeviction":
        fix = "Set maxmemory-policy to noeviction in its configuration: Redis must not drop queues to make room."
        yield Finding(ERROR, "broker", f"its maxmemory-policy is {kept}", fix)
    if not listening:
        yield Finding(WARNING, "worker", "no worker listens for callbacks", "Start one: `./start`, or `dlr up`.")
    yield Finding(OK, "broker", f"{name} {version} answers")


def _clients(client: Any) -> list[dict[str, str]]:
    try:
        return list(client.client_list())
    except RedisError:
        return [{"cmd": "brpop"}]  # a managed Redis may forbid the question: then there is no answer to worry about


def disk(settings: Settings) -> Iterator[Finding]:
    """Look at the room that is left for the state folder."""
    try:
        free = shutil.disk_usage(settings.state_dir).free
    except OSError:
        yield Finding(
            WARNING, "disk", f"there is no state folder {settings.state_dir}", "It is made at the first start."
        )
        return
    severity = OK if free >= _DISK_LOW else WARNING if free >= _DISK_FULL else ERROR
    fix = "" if severity == OK else "Free some space, or shorten DLR_KEEP_BODIES: without room callbacks get 503."
    yield Finding(severity, "disk", f"{free // MIB} MiB are free in {settings.state_dir}", fix)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)

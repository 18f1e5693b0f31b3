"""The first application's key, made at the first start and shown then: only its hash is kept."""

from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from cli.supervisor.probe import reachable, split_address
from config.accounts import MAIN
from config.settings import Settings
from store import api_keys
from store.database import open_database
from store.errors import StoreError

OFF = "off"
_FIRST = "Nothing passes before DLR_INFOBIP_URL says where Infobip is (https://xxxxx.api.infobip.com): set it first."


def serves_applications(settings: Settings) -> bool:
    """Whether `/proxy` and `/api` are served."""
    return settings.proxy_bind.strip().lower() != OFF


def greeting(settings: Settings) -> str:
    """Make the first key where there has never been one; return what to say of it, or nothing."""
    if not serves_applications(settings):
        return ""
    # Opened and closed at once: the supervisor forks, and must hold no connection then.
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous, pool=1)
    try:
        with database.transaction() as connection:
            key = api_keys.make_first(connection, MAIN, datetime.now(UTC))
    except (StoreError, SQLAlchemyError):
        return "No key for applications could be made: dlr keys create\n"
    finally:
        database.close()
    if not key:
        return ""
    host, port = split_address(settings.proxy_bind, "DLR_PROXY_BIND")
    host = reachable(host)
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return "\n".join(
        (
            "A key for your applications was made. It is shown this once; dlr keys create makes others.",
            f"  {key}",
            "With it, what they send can pass through here (docs/resend.md); the base URL in place of Infobip's is",
            f"  {url}/proxy/{key}",
            *(() if settings.infobip_url else (_FIRST,)),
            "",
        )
    )

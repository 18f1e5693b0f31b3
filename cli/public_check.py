"""Post a sample through the public URL, as Infobip would, and say what came back."""

import hmac
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Final

import requests
from sqlalchemy import select

from cli.findings import ERROR, OK, WARNING, Finding
from cli.sample import sample_body
from codes import shipped
from config.hmac_keys import HmacKeys
from config.secrets import Secret
from config.settings import Settings
from store.database import Database
from store.errors import StoreError
from store.schema import inbox
from webhook.auth import needs_first_token
from webhook.first_token import TOKEN_FILE

USER_AGENT: Final = "dlr-doctor"
_PATIENCE: Final = 15.0
_FIXES: Final = {
    401: "The URL or its proxy drops the credentials: compare the path and the headers that arrive.",
    403: "The URL or its proxy drops the credentials, or DLR_NETWORKS does not hold this host.",
    404: "The proxy does not pass /webhook on to this service.",
    413: "The proxy's own limit on bodies is too small: allow what DLR_MAX_BODY_MB says.",
    502: "The proxy cannot reach this service: compare its target with DLR_WEB_BIND.",
    503: "The service is reached and cannot commit: see the database above.",
    504: "The proxy waits for this service in vain: compare its target with DLR_WEB_BIND.",
}


def through_public_url(settings: Settings, database: Database) -> Iterator[Finding]:
    """Yield what came back."""
    if not settings.public_url:
        fix = "Set DLR_PUBLIC_URL to the address outside, such as https://dlr.example.com."
        yield Finding(ERROR, "public post", "there is no public URL to post to", fix)
        return
    body = sample_body(shipped(), "sms", "NO_ERROR").encode()
    url = f"{settings.public_url.rstrip('/')}/webhook/sms"
    yield post_sample(url + _token(settings), url, body, _headers(settings, body), database)


def post_sample(url: str, shown: str, body: bytes, headers: dict[str, str], database: Database) -> Finding:
    """Post a body as Infobip would and judge what came back; `shown` is the URL without secrets."""
    try:
        answer = requests.post(url, data=body, headers=headers, timeout=_PATIENCE, allow_redirects=False)
    except requests.exceptions.SSLError:
        fix = "Renew it, or add the intermediate certificates: Infobip refuses what it cannot verify."
        return Finding(ERROR, "public post", "the certificate of the public URL is not valid", fix)
    except requests.RequestException as error:
        fix = "See whether the name resolves, the port is open and the proxy runs."
        return Finding(ERROR, "public post", f"no answer from {shown}: {type(error).__name__}", fix)
    return _judged(database, answer)


def signature(settings: Settings, secret: str, body: bytes) -> str:
    """Return the value of the signature's header, as the settings have it."""
    digest = hmac.digest(secret.encode(), body, settings.hmac_algorithm.lower())
    return settings.hmac_prefix + _encoded(digest, settings.hmac_encoding.lower())


def _judged(database: Database, answer: requests.Response) -> Finding:
    took = round(answer.elapsed.total_seconds() * 1000)
    if 300 <= answer.status_code < 400:
        where = answer.headers.get("Location", "?").partition("?")[0]
        fix = "Give Infobip, and DLR_PUBLIC_URL, the address without the redirect: it may not follow one."
        return Finding(ERROR, "public post", f"it is redirected ({answer.status_code}) to {where[:80]}", fix)
    if answer.status_code != requests.codes.ok:
        fix = _FIXES.get(answer.status_code, "Look at the log of the proxy and of this service.")
        return Finding(ERROR, "public post", f"it answers {answer.status_code} after {took} ms", fix)
    try:
        number = int(answer.json()["callback_id"])
    except (ValueError, KeyError, TypeError):
        fix = "Something else answers there: compare DLR_PUBLIC_URL and the proxy's target."
        return Finding(ERROR, "public post", "it answers 200, but not as this service does", fix)
    if not _arrived(database, number):
        fix = "Another installation answers there: compare the proxy's target, and the DLR_DATABASE_URL of both."
        return Finding(ERROR, "public post", "it answers 200, but the sample is not in this database", fix)
    if took > 1000:
        fix = "Look at the proxy and the database: Infobip's patience may be as short as a second."
        return Finding(WARNING, "public post", f"the sample arrived, but the answer took {took} ms", fix)
    return Finding(OK, "public post", f"a sample came back with 200 after {took} ms and is in the database")


def _arrived(database: Database, number: int) -> bool:
    try:
        with database.reading() as connection:
            return connection.execute(select(inbox.c.id).where(inbox.c.id == number)).first() is not None
    except StoreError:
        return False


def _token(settings: Settings) -> str:
    secret = settings.url_token
    if not secret and needs_first_token(settings) and (settings.state_dir / TOKEN_FILE).exists():
        secret = Secret("", settings.state_dir / TOKEN_FILE)
    token = next(iter(secret.values()), "")
    return f"/{token}" if token else ""


def _headers(settings: Settings, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    if settings.basic_user and settings.basic_password:
        pair = f"{settings.basic_user}:{settings.basic_password.values()[0]}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    if settings.header_name and settings.header_value:
        headers[settings.header_name] = settings.header_value.values()[0]
    if secret := next(iter(HmacKeys(settings).values()), ""):
        headers[settings.hmac_header] = signature(settings, secret, body)
    return headers


def _encoded(digest: bytes, encoding: str) -> str:
    if encoding == "hex":
        return digest.hex()
    return (b64encode(digest) if encoding == "base64" else urlsafe_b64encode(digest)).decode()

"""A signed sample through the address that Infobip posts to, with exactly what Infobip brings along."""

from cli.findings import ERROR, Finding
from cli.public_check import USER_AGENT, post_sample, signature
from cli.sample import sample_body
from cli.subscribe.proof import Proof
from codes import shipped
from config.settings import Settings
from store.database import Database


def probe(settings: Settings, database: Database, proof: Proof, url: str, secret: str) -> Finding:
    """Post an SMS report of a fictional person, signed with `secret`, and say what came back.

    `url` is the one for the channel sms: other channels differ in that word only.
    """
    body = sample_body(shipped(), "sms", "NO_ERROR").encode()
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **proof.headers}
    headers[settings.hmac_header] = signature(settings, secret, body)
    found = post_sample(url, proof.masked(url), body, headers, database)
    return found._replace(check="sample", message=found.message + ("" if found.severity == ERROR else _by(proof)))


def _by(proof: Proof) -> str:
    if proof.signed:
        return ", by its signature"
    return f", by {' + '.join(proof.checks)}: its signature is not asked for" if proof.checks else ""

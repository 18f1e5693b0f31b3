"""The Flask application of `/proxy` and `/api`, made of its collaborators. Nothing happens on import."""

from flask import Flask

from codes.channels import CHANNELS
from config.accounts import load_accounts
from config.relays import Relays
from config.settings import Settings
from infobip.outbound.transport import Transport
from store.database import Database
from store.vault import Vault
from webhook.access_log import register_access_log
from webhook.api.app import register_api
from webhook.app import Everything
from webhook.body import MIB
from webhook.errors import register_errors
from webhook.health import Readiness, register_health
from webhook.keys import KeyRing
from webhook.opinions import Opinions
from webhook.proxy.check import check_accounts, check_settings
from webhook.proxy.passing import PassThrough, register_proxy
from webhook.proxy.register import Register
from webhook.proxy.rejected import Rejections
from webhook.proxy.report_url import ReportUrls
from webhook.ringer import Ringer

LIMIT = 32 * MIB
LIVES_HERE = (
    "At this address live /proxy/KEY, followed by Infobip's own path, such as POST /proxy/KEY/sms/3/messages; "
    "POST /api/v1/sends, /api/v1/suppressions/check, list, add and lift, and /api/v1/incidents/ack and resolve, with "
    "Authorization: Bearer KEY; GET /healthz and /readyz. A key that is wrong or revoked looks like a path that there "
    "is not. Infobip's callbacks go to the other address, DLR_WEB_BIND."
)
# What the errors of the endpoint say is meant for Infobip, which repeats its callbacks by itself.
NEXT_STEPS = {
    "no_such_page": LIVES_HERE,
    "wrong_method": LIVES_HERE,
    "too_large": f"Send less in one request: a body may have {LIMIT // MIB} MiB, unpacked too.",
    "not_kept": "Send it again in a few seconds. The operator runs `dlr doctor`.",
    "internal": "What was to be sent may have left: look its message id up before you send it again. The operator "
    "finds the cause in the service's log.",
}


def create_app(
    settings: Settings, *, database: Database, vault: Vault, transport: Transport, doorbell: Ringer
) -> Flask:
    """Return the application. Raises `SettingsError` for settings that make no sense."""
    check_settings(settings)
    accounts = check_accounts(settings, load_accounts(settings))
    app = Flask("webhook.proxy", static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.url_map.converters["everything"] = Everything
    register_access_log(app)
    register_errors(app, NEXT_STEPS)
    keys, opinions = KeyRing(database), Opinions(settings)
    rejections = Rejections(settings, Relays.read(settings.relay_url, CHANNELS), vault)
    register = Register(database, vault, rejections, settings.proxy_suppressed)
    register_proxy(
        app,
        PassThrough(
            limit=LIMIT,
            keys=keys,
            accounts=accounts,
            transport=transport,
            register=register,
            report_urls=ReportUrls(settings, accounts),
            opinions=opinions,
            vault=vault,
            fail_closed=settings.proxy_fail_closed,
        ),
    )
    register_api(app, keys=keys, database=database, vault=vault, opinions=opinions, limit=LIMIT)
    register_health(app, Readiness(settings, database, doorbell))
    return app

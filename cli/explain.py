"""`dlr explain`: what a callback means and what would be done about it, without a server and without a trace."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

import click

from cli.output import fail, format_option, print_json
from cli.sample import fitting_status
from cli.state import codes_or_fail, rules_or_fail, settings_or_fail
from cli.terminal import say
from codes import CHANNELS, CodeRef, Codes, Match, Meaning
from codes.suggest import did_you_mean
from config.settings import Settings
from infobip.inbound import InboundError, Reading, read
from policy import UNSEEN, Action, Decision, Interpretation, Rules, decide, interpret
from reports import Report
from reports.words import MENTION, OptWords
from webhook.body import MIB, unpack
from webhook.errors import WebhookError

NOTHING_TO_DECIDE = "nothing-to-decide"


@click.command()
@click.argument("file", required=False, type=click.File("rb"), metavar="[FILE|-]")
@click.option("--channel", required=True, help="Channel whose URL the callback was posted to, or auto.")
@click.option("--content-type", default="", help="Content type of the body; without it, the body is looked at.")
@click.option("--status", type=int, help="Ask about this status id instead of a file.")
@click.option("--error", type=int, help="Ask about this error id instead of a file.")
@format_option
def explain(
    file: BinaryIO | None, channel: str, content_type: str, status: int | None, error: int | None, form: str
) -> None:
    """Explain each item of the callback body in FILE, or on standard input with `-`; it may be packed with gzip.

    For a quick question name the codes instead: `dlr explain --channel sms --status 9 --error 27`. An error alone is
    asked about beside the status that it usually comes with.
    """
    if channel not in CHANNELS:
        raise fail(f"There is no channel {channel!r}. {did_you_mean(channel, CHANNELS)}", 2)
    quick = status is not None or error is not None
    if quick == (file is not None):
        raise fail("Name either a file (or - for standard input), or --status and --error.", 2)
    settings = settings_or_fail()
    codes = codes_or_fail(settings)
    rules = rules_or_fail(settings, codes)
    try:
        body = _question(codes, channel, status, error) if file is None else _unpacked(file, settings)
        reading = read(body, content_type or _guess(body), channel)
    except (InboundError, WebhookError) as refusal:
        raise fail(f"{str(refusal).rstrip('.')}. {refusal.next_step}") from None
    words = OptWords.of(settings.stop_words, settings.stop_words_nanp, settings.start_words)
    answer = _answer(reading, codes, rules, words)
    if form == "json":
        print_json(answer)
    else:
        _print(answer)


def _question(codes: Codes, channel: str, status: int | None, error: int | None) -> bytes:
    """Return the body of a report with these codes. Without a status it would be no delivery report at all."""
    if status is None and error is not None:
        found = fitting_status(codes, error, channel)
        status = found.id
        say(f"Asked about beside the status that it usually comes with, {found.id} {found.name}.", err=True)
    asked = {"status": _named(codes, "status", status), "error": _named(codes, "error", error)}
    item = {"messageId": "question", **{kind: code for kind, code in asked.items() if code}}
    return json.dumps({"results": [item]}).encode()


def _named(codes: Codes, kind: str, number: int | None) -> dict[str, Any]:
    """Return a code as a report has it: with its name, by which codes of other families are found, where that is plain.

    Several families have an id in common; then the channel decides.
    """
    if number is None:
        return {}
    names = {row.name for row in codes.tables.rows if row.kind == kind and row.id == number}
    return {"id": number, **({"name": names.pop()} if len(names) == 1 else {})}


def _unpacked(file: BinaryIO, settings: Settings) -> bytes:
    """Return the body as the endpoint would read it. Raises `WebhookError`."""
    return unpack(file.read(), "", settings.max_body_mb * MIB)


def _guess(body: bytes) -> str:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return {b"<": "application/xml", b"{": "application/json", b"[": "application/json"}.get(start, "text/plain")


def _answer(reading: Reading, codes: Codes, rules: Rules, words: OptWords) -> dict[str, Any]:
    now = datetime.now(UTC)
    items = []
    for item in reading.items:
        found = interpret(item.report, codes, words)
        if found.meaning is None:
            items.append(_told(item.index, item.report, found))
        else:
            decision = decide(item.report, found.meaning, UNSEEN, rules, now)
            items.append(_item(item.index, item.report, found.meaning, decision))
    return {"items": items, "quarantined": [{"index": fault.index, "error": fault.error} for fault in reading.faults]}


def _described(index: int, report: Report) -> dict[str, Any]:
    return {
        "index": index,
        "event": report.event,
        "kind": report.kind,
        "channel": report.channel,
        "message_id": report.message_id,
        "recipient": report.recipient,
        "status": _code(report.status),
        "error": _code(report.error),
    }


def _item(index: int, report: Report, meaning: Meaning, decision: Decision) -> dict[str, Any]:
    return _described(index, report) | {
        "outcome": decision.outcome,
        "cause": decision.cause,
        "actions": [_action(action) for action in decision.actions],
        "reason": decision.reason,
        "rule": decision.rule,
        "advice": meaning.advice,
        "matched": {"status": _match(meaning.status), "error": _match(meaning.error)},
    }


def _told(index: int, report: Report, found: Interpretation) -> dict[str, Any]:
    """Describe an item that no rule is asked about: it tells something, and asks for nothing."""
    lifts = sorted(found.event.lifts) if found.event else []
    if lifts:
        reason = f"The person opts in again, so suppressions with the cause {' or '.join(lifts)} end in this scope."
    elif found.word == MENTION:
        reason = "The text mentions a stop word without being one, so a person should read it."
    else:
        reason = f"An event ({report.event}, {report.kind}) is kept and shown, and there is nothing to decide on."
    ignore = {"action": "ignore", "rule": NOTHING_TO_DECIDE, "mode": "act"}
    return _described(index, report) | {
        "outcome": "unknown",
        "cause": "",
        "actions": [ignore],
        "reason": reason,
        "rule": NOTHING_TO_DECIDE,
        "advice": found.event.advice if found.event else "",
        "matched": {},
    }


def _code(ref: CodeRef | None) -> dict[str, Any] | None:
    return None if ref is None else {"id": ref.id, "group_id": ref.group_id, "name": ref.name}


def _match(match: Match) -> dict[str, Any]:
    return {
        "row": match.row.label if match.row else None,
        "by": match.how,
        "permanent": match.row.permanent if match.row else None,
        "reported_permanent": match.ref.permanent if match.ref else None,
        "permanent_disagrees": match.contradicted,
    }


def _action(action: Action) -> dict[str, Any]:
    plain = action._asdict()
    kind = plain.pop("action")
    return {"action": kind, **{name: _plain(value) for name, value in plain.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return str(value) if hasattr(value, "total_seconds") else value


def _print(answer: dict[str, Any]) -> None:
    for item in answer["items"]:
        what = " ".join(part for part in (item["channel"], item["kind"].lower(), item["message_id"]) if part)
        click.echo(f"[{item['index']}] {what}")
        say(item["reason"], 4)
        if item["advice"]:
            say(item["advice"], 4)
        if item["matched"].get("error", {}).get("permanent_disagrees"):
            say("The report's own `permanent` differs from the table's; neither decides, the cause does.", 4)
        names = ", ".join(f"{action['action']} ({action['mode']})" for action in item["actions"])
        say(f"rule {item['rule']}, cause {item['cause'] or 'none'}, outcome {item['outcome']}: {names}", 4)
    for fault in answer["quarantined"]:
        say(f"cannot be read and would be quarantined: {fault['error']}", 4, f"[{fault['index']}] ")

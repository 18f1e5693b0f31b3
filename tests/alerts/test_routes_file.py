"""All mistakes of the routes' file are told at once, each with its fix."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from codes import CAUSES
from config.alert_hours import Hours
from config.alert_routes import load_routes
from config.settings import SettingsError
from tests.house.project import ROOT


def mistakes(folder: Path, text: str) -> list[str]:
    file = folder / "routes.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as found:
        load_routes(file, CAUSES)
    return str(found.value).splitlines()[1:]


def test_every_mistake_is_named_with_its_route(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        """
team = "slack"
["a b"]
url = "json://localhost"
[none]
severity = "bad"
[both]
url = "json://localhost"
alertmanager = "http://localhost:9093"
[typo]
url = "json://localhost"
sevrity = "info"
causes = ["account_fund"]
hours = "8-20"
[plain]
url = "localhost"
token = "x"
[am]
alertmanager = "localhost:9093"
""",
    )
    told = "\n".join(found)
    for part in (
        "[team] stands outside of any route",
        "[a b] a route's name",
        "[none] severity: Must be one of: info, warning, critical.",
        "[none] needs one of url, url_file and alertmanager, and has none of them",
        "[both] needs one of url, url_file and alertmanager, and has url and alertmanager",
        "[typo] sevrity: there is no such key; a route has",
        "[typo] causes: there is no cause 'account_fund'",
        "[plain] token belongs to alertmanager",
        "[am] the URL does not begin with https:// or http://",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('hours = "8-20"', "write them like 08:00-20:00"),
        ('hours = "08:00-20:00"\nzone = "Wien"', "write one like Europe/Vienna"),
        ('hours = "08:00-20:00"\ndays = ["Monday"]', "write some of mon, tue"),
        ('zone = "UTC"', "zone and days belong to hours"),
    ],
)
def test_hours_that_cannot_be_read_are_told_with_an_example(tmp_path: Path, line: str, told: str) -> None:
    (found,) = mistakes(tmp_path, f'[a]\nurl = "json://localhost"\n{line}\n')
    assert told in found


def test_secrets_come_from_files_beside_it_and_are_read_again(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("json://one\n")
    file = tmp_path / "routes.toml"
    file.write_text('[a]\nurl_file = "hook"\n')
    (route,) = load_routes(file)
    assert route.url.values() == ("json://one",)
    (tmp_path / "hook").write_text("json://another\n")
    assert route.url.values() == ("json://another",)
    assert "missing" in mistakes(tmp_path, '[a]\nurl_file = "missing"\n')[0]


def test_the_example_of_the_documents_is_in_order(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    (tmp_path / "pagerduty-url").write_text("pagerduty://a@b")
    file = tmp_path / "routes.toml"
    file.write_text(text.split("```toml\n")[1].split("```")[0])
    assert set(load_routes(file, CAUSES).by_name) == {"oncall", "team", "finance", "alertmanager"}
    keys = {
        word for line in text.splitlines() if line.startswith("| `") for word in line.split("|")[1].split("`")[1::2]
    }
    for key in ("url", "alertmanager", "severity", "causes", "accounts", "purposes", "hours", "reminders", "resolved"):
        assert key in keys


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        ("2026-07-14T09:00", "2026-07-14T09:00"),  # a Tuesday, within
        ("2026-07-14T03:00", "2026-07-14T06:00"),
        ("2026-07-14T19:00", "2026-07-15T06:00"),
        ("2026-07-17T19:00", "2026-07-20T06:00"),  # Friday evening: Monday
        ("2026-12-14T03:00", "2026-12-14T07:00"),  # winter time
    ],
)
def test_working_hours_begin_where_the_people_are(now: str, begins: str) -> None:
    hours = Hours.read("08:00-20:00", ["mon", "tue", "wed", "thu", "fri"], "Europe/Vienna")
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert hours.next(moment) == datetime.fromisoformat(begins).replace(tzinfo=UTC)


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    hours = Hours.read("22:00-06:00", ["fri"], "UTC")
    assert hours.next(datetime(2026, 7, 18, 5, tzinfo=UTC)) == datetime(2026, 7, 18, 5, tzinfo=UTC)
    assert hours.next(datetime(2026, 7, 18, 6, tzinfo=UTC)) == datetime(2026, 7, 24, 22, tzinfo=UTC)

"""Keys of applications: shown once, listed without themselves, ended at once."""

from datetime import UTC, datetime

import pytest

from store import api_keys
from tests.support.desk import Desk
from tests.support.dlr import Dlr

NOW = datetime.now(UTC)


def live(desk: Desk) -> dict[bytes, api_keys.ApiKey]:
    with desk.database.reading() as connection:
        return api_keys.live(connection)


def test_a_key_is_printed_once_and_kept_as_a_hash(dlr: Dlr, desk: Desk) -> None:
    key = dlr("keys", "create", "shop").strip()
    assert len(key) > 40
    (found,) = live(desk).values()
    assert live(desk)[api_keys.hash_of(key)] == found
    assert (found.account, found.name, found.scopes) == ("main", "shop", frozenset(api_keys.SCOPES))
    assert key not in dlr("keys", "list") + repr(found)


def test_it_is_bound_to_an_account_and_to_what_it_may_do(dlr: Dlr, desk: Desk) -> None:
    made = dlr.json("keys", "create", "shop", "--account", "uk", "--scope", "sends:write", "--scope", "proxy")
    found = live(desk)[api_keys.hash_of(made["key"])]
    assert (found.account, found.scopes) == ("uk", frozenset({"proxy", "sends:write"}))
    assert made["scopes"] == ["sends:write", "proxy"]
    dlr.fails("keys", "create", "shop", "--scope", "everything", code=2)


def test_a_revoked_key_is_no_longer_live_and_only_listed_on_request(dlr: Dlr, desk: Desk) -> None:
    dlr("keys", "create", "shop")
    dlr("keys", "create", "other")
    first, second = dlr.json("keys", "list")
    assert (first["name"], second["name"], first["used_at"]) == ("shop", "other", None)
    dlr("keys", "revoke", first["id"])
    assert [key["name"] for key in dlr.json("keys", "list")] == ["other"]
    assert [bool(key["revoked_at"]) for key in dlr.json("keys", "list", "--all")] == [True, False]
    assert [key.name for key in live(desk).values()] == ["other"]
    assert "No live key" in dlr.fails("keys", "revoke", first["id"])


def test_the_first_key_is_made_only_where_there_has_never_been_one(dlr: Dlr, desk: Desk) -> None:
    with desk.database.transaction() as connection:
        key = api_keys.make_first(connection, "main", NOW)
        assert key
        assert api_keys.make_first(connection, "main", NOW) == ""
    dlr("keys", "revoke", dlr.json("keys", "list")[0]["id"])
    with desk.database.transaction() as connection:
        assert api_keys.make_first(connection, "main", NOW) == ""


def test_a_scope_that_there_is_not_is_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="no scope"), desk.database.transaction() as connection:
        api_keys.make(connection, "main", "x", ["all"], NOW)

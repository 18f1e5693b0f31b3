"""Addresses and bodies are unreadable without the key file, and the key file is never replaced silently."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.database import Database
from store.errors import KeyMismatch, UnknownKey
from store.vault import KEY_FILE, Keys, Vault, open_vault
from tests.support.keys import rotated, write_keys


def test_what_is_sealed_opens_again_and_looks_like_nothing(vault: Vault) -> None:
    sealed = vault.seal(b"447700900123")
    assert b"447700900123" not in sealed
    assert vault.open(sealed) == b"447700900123"
    assert vault.seal(b"447700900123") != sealed


def test_one_person_has_one_hash_whatever_the_spelling(vault: Vault) -> None:
    assert vault.hash_address("main", "+44 7700 900123") == vault.hash_address("main", "447700900123")
    assert vault.hash_address("main", "Jo@Example.COM") == vault.hash_address("main", "jo@example.com")
    assert vault.hash_address("main", "447700900123") != vault.hash_address("shop", "447700900123")


def test_digest_keeps_its_parts_apart(vault: Vault) -> None:
    assert vault.digest("ab", "c") != vault.digest("a", "bc")
    assert vault.digest("a", "b", "cd", "e") != vault.digest("a", "b", "c", "de")


def test_hashes_are_those_by_which_earlier_releases_kept_their_rows() -> None:
    vault = Vault(Keys(bytes(range(32)), (bytes(32),)))
    for _ in range(2):
        assert vault.digest("message", "shop", "order-7-ß", "447700900123").hex() == "92ed1fdee2d4ebab7dcc533363fc9992"
        assert vault.hash_address("shop", "+44 7700 900123").hex() == "710c398b4deaadf858a5cbe17b02badc"


def test_what_is_sealed_together_opens_one_by_one_and_shares_no_nonce(vault: Vault) -> None:
    contents = [str(number % 7).encode() for number in range(500)]
    sealed = vault.seal_all(contents)
    assert [vault.open(one) for one in sealed] == contents
    assert len({one[:16] for one in sealed}) == 500
    assert vault.seal_all([]) == []


def test_keys_are_made_once_and_readable_by_their_owner_only(database: Database, tmp_path: Path) -> None:
    first = open_vault(tmp_path / "s", database)
    again = open_vault(tmp_path / "s", database)
    assert first.keys == again.keys
    assert (tmp_path / "s" / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_missing_key_file_stops_the_start_and_makes_no_new_one(database: Database, tmp_path: Path) -> None:
    open_vault(tmp_path / "s", database)
    (tmp_path / "s" / KEY_FILE).unlink()
    with pytest.raises(KeyMismatch, match="missing"):
        open_vault(tmp_path / "s", database)
    assert not (tmp_path / "s" / KEY_FILE).exists()


def test_a_foreign_key_file_stops_the_start(database: Database, tmp_path: Path) -> None:
    open_vault(tmp_path / "s", database)
    with pytest.raises(KeyMismatch, match="missing"):
        open_vault(tmp_path / "other", database)
    (tmp_path / "s" / KEY_FILE).write_text('{"hashing": "AAAA", "sealing": ["AAAA"]}')
    with pytest.raises(KeyMismatch, match="other keys"):
        open_vault(tmp_path / "s", database)


def test_a_rotated_key_still_opens_what_the_old_one_sealed() -> None:
    old = Keys.make()
    sealed = Vault(old).seal(b"content")
    assert Vault(rotated(old)).open(sealed) == b"content"
    assert Vault(old).keys.ids != {}
    with pytest.raises(KeyMismatch):
        Vault(Keys.make()).open(sealed)


def test_a_key_that_was_added_to_the_file_is_read_when_it_is_first_needed(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "s" / KEY_FILE
    vault = open_vault(tmp_path / "s", database)
    before = vault.seal(b"before")
    newer = rotated(vault.keys)
    sealed = Vault(newer).seal(b"after")
    with pytest.raises(UnknownKey):
        vault.open(sealed)
    write_keys(path, newer)
    assert (vault.open(sealed), vault.open(before)) == (b"after", b"before")
    assert Vault(newer).open(vault.seal(b"now with the new one")) == b"now with the new one"


@pytest.mark.parametrize("content", ["", "{", json.dumps({"hashing": "AAAA", "sealing": ["AAAA"]})])
def test_a_key_file_that_is_broken_or_foreign_changes_no_running_vault(
    database: Database, tmp_path: Path, content: str
) -> None:
    vault = open_vault(tmp_path / "s", database)
    sealed = vault.seal(b"content")
    (tmp_path / "s" / KEY_FILE).write_text(content)
    with pytest.raises(UnknownKey):
        vault.open(Vault(Keys.make()).seal(b"of another key"))
    assert vault.open(sealed) == b"content"


def test_an_altered_content_is_refused(vault: Vault) -> None:
    sealed = bytearray(vault.seal(b"content"))
    sealed[-1] ^= 1
    with pytest.raises(KeyMismatch, match="altered"):
        vault.open(bytes(sealed))


def test_several_first_starts_at_once_agree_on_one_key_file(database: Database, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        vaults = list(pool.map(lambda _: open_vault(tmp_path / "s", database), range(8)))
    assert len({vault.keys.hashing for vault in vaults}) == 1
    assert [path.name for path in (tmp_path / "s").iterdir()] == [KEY_FILE]

"""What people and programs enter as an address is judged before it is kept; what is none would block nobody."""

from pathlib import Path

import pytest

from reports.recipient import fault_of
from store.schema import suppressions
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

PUSH = "4f1c2c9a-6f0d-4b7e-9d53-0b1a7e2f8c31"


@pytest.mark.parametrize(
    ("address", "channel"),
    [
        ("+44 7700 900123", ""),
        ("0044 (7700) 900-123", "sms"),
        ("447700.900.123", "voice"),
        ("447700\u00a0900123", "mms"),
        (" 447700900123 ", "rcs"),
        ("119", "sms"),
        ("jo.o'neil+x@mail.example.co.uk", ""),
        ("jo..x@example.com", "email"),
        ("J\u00fcrgen@b\u00fccher.example", "email"),
        ('"jo.x"@example.com', "email"),
        (PUSH, "push"),
        (PUSH, ""),
        ("Zm9yLWEtdGVzdC00Nw==", "viber-bot"),
        ("Zm9yLWEtdGVzdC00Nw==", ""),
        ("US.13491208655302741918", "whatsapp"),
        ("7", "open-channel"),
        ("jo@example.com", "push"),
        ("24017763101869237", "messenger"),
        ("urn:mbid:AQAAY4v", "apple"),
    ],
)
def test_what_somebody_can_be_reached_by_is_an_address(address: str, channel: str) -> None:
    assert fault_of(address, channel) == ""


@pytest.mark.parametrize(
    ("address", "channel", "said"),
    [
        ("", "", "empty"),
        ("   ", "sms", "empty"),
        ("1" * 256, "push", "longer"),
        ("44770\u0000900123", "push", "cannot be printed"),
        ("jo\ufffd@example.com", "", "UTF-8"),
        ("hello", "", "neither"),
        ("44770o900123", "", "neither"),
        ("447700900123", "email", "no e-mail address"),
        ("jo@example.com", "sms", "reaches only those"),
        (PUSH, "sms", "no phone number"),
        ("44770o900123", "sms", "no phone number"),
        ("56", "sms", "3 to 15 digits"),
        ("4477009001234477009", "", "3 to 15 digits"),
        ("07700 900123", "sms", "country code"),
        ("+44 (0)7700 900123", "", "(0)"),
        ("----", "sms", "no phone number"),
        ("al@", "", "no e-mail"),
        ("@example.org", "email", "no e-mail"),
        ("al@example", "email", "no e-mail"),
        ("jo smith@example.com", "email", "no e-mail"),
        ("Jo <jo@example.com>", "email", "no e-mail"),
        ("jo@example.com, al@example.com", "", "no e-mail"),
        (f"{'j' * 65}@example.com", "email", "no e-mail"),
        ("john.smith1985.example.com", "", "neither"),
        ("user 7", "telegram", "blank"),
    ],
)
def test_what_nobody_can_be_reached_by_is_refused_with_the_reason(address: str, channel: str, said: str) -> None:
    fault = fault_of(address, channel)
    assert said in fault
    assert not address.strip() or address.strip() not in fault


class TestByHand:
    @pytest.mark.parametrize("command", ["add", "protect"])
    def test_one_bad_address_among_good_ones_and_nothing_is_done(self, command: str, desk: Desk, dlr: Dlr) -> None:
        said = dlr.fails("suppress", command, PERSON, "hello", code=2)
        assert "Address 2 of 2" in said
        assert "neither a phone number nor an e-mail address" in said
        assert desk.rows(suppressions) == []
        assert dlr.json("suppress", "protect") == []

    def test_a_line_of_standard_input_is_named_by_its_number(self, desk: Desk, dlr: Dlr) -> None:
        said = dlr.fails("suppress", "add", "-", "--channel", "sms", code=2, answer=f"{PERSON}\n\njo@example.com\n")
        assert "Address 2 of 2" in said
        assert "jo@" not in said
        assert desk.rows(suppressions) == []

    def test_a_channel_says_what_is_an_address(self, dlr: Dlr) -> None:
        dlr.fails("suppress", "add", PUSH, "--channel", "sms", code=2)
        assert dlr("suppress", "add", PUSH, "--channel", "push") == "1 added.\n"

    def test_what_is_suppressed_as_no_valid_address_may_look_like_none(self, dlr: Dlr) -> None:
        assert dlr("suppress", "add", "4477009", "077009x", "--cause", "address_invalid") == "2 added.\n"
        dlr.fails("suppress", "add", "a\u0007b", "--cause", "address_invalid", code=2)

    def test_a_check_of_what_is_no_address_says_so_and_passes_it(self, dlr: Dlr) -> None:
        result = dlr.run("suppress", "check", "hello", "--channel", "sms")
        assert (result.exit_code, result.stdout.split("\t")[-1]) == (0, "passes\n")
        assert "no phone number" in result.stderr


class TestFiles:
    def test_a_bad_address_is_told_with_its_line_and_the_others_are_imported(
        self, desk: Desk, dlr: Dlr, tmp_path: Path
    ) -> None:
        file = tmp_path / "list.csv"
        file.write_text(f"address,channel\n{PERSON},sms\nhello,\njo@example.com,sms\njo@example.com,email\n")
        result = dlr.run("suppress", "import", str(file))
        assert (result.exit_code, result.stdout) == (1, "2 added, 0 stood already.\n")
        assert "line 3: the address: It is neither" in result.stderr
        assert "line 4: the address: It is no phone number" in result.stderr
        assert len(desk.rows(suppressions)) == 2

    def test_a_line_of_an_export_is_taken_as_it_is(self, desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
        """What reports named as a recipient is one, whatever it looks like."""
        desk.handle(report("m-1", 9, 603, to="user-7"), channel="open-channel")
        file = tmp_path / "list.csv"
        dlr("suppress", "export", "--output", str(file))
        text = file.read_text().replace(",open-channel,", ",,")
        file.write_text(text)
        with desk.database.transaction() as connection:
            connection.execute(suppressions.delete())
        assert dlr("suppress", "import", str(file)) == "1 added, 0 stood already.\n"

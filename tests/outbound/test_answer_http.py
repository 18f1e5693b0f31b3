"""Answers as servers and proxies really write them, off a real socket: read whole, and never one for another."""

import gzip
from collections.abc import Iterator

import pytest

from infobip.outbound.results import Exchanged, NotSent, Unknown
from infobip.outbound.transport import Patience, Transport
from tests.outbound.wire_server import Deed, Visit, WireServer, answer, last_words

HASTE = Patience(connect=0.5, answer=0.5, total=2)


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(HASTE, largest_answer=10_000, adds=False)
    yield made
    made.close()


def raw(*pieces: bytes) -> Deed:
    """Write an answer byte for byte, in these pieces."""

    def deed(visit: Visit) -> None:
        for piece in pieces:
            visit.write(piece)

    return deed


OK = b"HTTP/1.1 200 OK\r\n"
SIX = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"


WHOLE: dict[str, Deed] = {
    "at once": raw(SIX),
    "byte by byte": raw(*(bytes([one]) for one in SIX)),
    "with bare line feeds": raw(SIX.replace(b"\r\n", b"\n")),
    "with little in its head": raw(b"HTTP/1.1 200\r\ncontent-length:6\r\n\r\nanswer"),
    "after interim ones": raw(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", SIX),
    "in chunks": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nans\r\n003\r\nwer\r\n0\r\nX-Trailer: 1\r\n\r\n"),
    "with its length said twice": raw(OK + b"Content-Length: 6\r\nContent-Length: 6\r\n\r\nanswer"),
    "with odd headers": raw(OK + b"X-Folded: a\r\n  b\r\nContent-Length: 6\r\n\r\nanswer"),
}


@pytest.mark.parametrize("deed", WHOLE.values(), ids=WHOLE.keys())
def test_an_answer_is_read_whole_and_its_connection_used_again(
    server: WireServer, transport: Transport, deed: Deed
) -> None:
    server.always = deed
    for _ in range(2):
        found = transport.exchange("POST", f"{server.url}/x", {}, b"asked")
        assert isinstance(found, Exchanged)
        assert (found.http, found.body) == (200, b"answer")
    assert server.connections == 1


LAST: dict[str, Deed] = {
    "another answer": raw(SIX + b"HTTP/1.1 500 Forged\r\nContent-Length: 6\r\n\r\nforged"),
    "chunks that also have a length": raw(
        OK + b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n"
    ),
    "an answer that is the last": raw(OK + b"Connection: Close\r\nContent-Length: 6\r\n\r\nanswer"),
    "an answer of HTTP 1.0": raw(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nanswer"),
    "an answer that ends with its connection": last_words(OK + b"\r\nanswer"),
}


@pytest.mark.parametrize("deed", LAST.values(), ids=LAST.keys())
def test_what_came_behind_an_answer_is_never_taken_for_the_next_one(
    server: WireServer, transport: Transport, deed: Deed
) -> None:
    server.always = deed
    for _ in range(2):
        found = transport.exchange("POST", f"{server.url}/x", {}, b"asked")
        assert isinstance(found, Exchanged)
        assert (found.http, found.body) == (200, b"answer")
    assert server.connections == 2


AMBIGUOUS: dict[str, Deed] = {
    "two lengths": raw(OK + b"Content-Length: 6\r\nContent-Length: 7\r\n\r\nanswer"),
    "a negative length": raw(OK + b"Content-Length: -6\r\n\r\nanswer"),
    "two codings": raw(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nanswer\r\n0\r\n\r\n"),
    "chunks that are cut": last_words(OK + b"Transfer-Encoding: chunked\r\n\r\n6\r\nans"),
    "another protocol": raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "a head without end": raw(OK + b"X-More: " + b"1" * 100_000 + b"\r\n\r\n"),
    "another version": raw(b"HTTP/2 200\r\n\r\n"),
    "a packed body that is cut": answer(200, gzip.compress(b"answer")[:-4], "Content-Encoding: gzip"),
    "a body that is too large": answer(200, b" " * 10_001),
    "a chunk that is too large": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n"),
    "a body without length that is too large": last_words(OK + b"\r\n" + b" " * 10_001),
}


@pytest.mark.parametrize("deed", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_an_answer_that_could_be_read_in_two_ways_or_has_no_end_leaves_the_outcome_unknown(
    server: WireServer, transport: Transport, deed: Deed
) -> None:
    server.always = deed
    assert isinstance(transport.exchange("POST", f"{server.url}/x", {}, b"asked"), Unknown)
    assert len(server.visits) == 1


def test_an_answer_to_head_has_no_body_whatever_it_says(server: WireServer, transport: Transport) -> None:
    server.always = raw(OK + b"Content-Length: 6\r\n\r\n")
    for _ in range(2):
        found = transport.exchange("HEAD", f"{server.url}/x", {})
        assert isinstance(found, Exchanged)
        assert (found.http, found.body) == (200, b"")
    assert server.connections == 1


def test_a_body_that_cannot_be_unpacked_says_how_it_is_packed(server: WireServer, transport: Transport) -> None:
    server.always = answer(200, b"packed", "Content-Encoding: br", "X-Two: a", "X-Two: b")
    found = transport.exchange("GET", f"{server.url}/x", {})
    assert isinstance(found, Exchanged)
    assert (found.body, found.header("Content-Encoding")) == (b"packed", "br")
    assert [value for name, value in found.headers if name == "X-Two"] == ["a", "b"]


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/x", {"X-One": "a\r\nX-Two: b"}),
        ("/x", {"X-One\r\nX-Two": "b"}),
        ("/x", {"X-One": "a\nb"}),
        ("/x", {"X": "€"}),
    ],
)
def test_a_header_that_would_be_two_never_leaves(
    server: WireServer, transport: Transport, target: str, headers: dict[str, str]
) -> None:
    assert isinstance(transport.exchange("POST", server.url + target, headers, b"asked"), NotSent)
    assert server.visits == []


def test_a_path_leaves_as_it_was_written(server: WireServer, transport: Transport) -> None:
    written = "/a/%7E%2f/../b;c?q=%7B%22a%22%7D&e=&f=a+b%20c"
    transport.exchange("GET", server.url + written, {})
    transport.exchange("GET", f"{server.url}/a b\r\nX: é", {})
    assert [visit.line for visit in server.visits] == [
        f"GET {written} HTTP/1.1",
        "GET /a%20b%0D%0AX:%20%C3%A9 HTTP/1.1",
    ]


def test_a_request_without_a_body_says_so_where_one_is_expected(server: WireServer, transport: Transport) -> None:
    for method in ("GET", "POST"):
        transport.exchange(method, f"{server.url}/x", {"X-One": "1"})
    assert [visit.header("Content-Length") for visit in server.visits] == ["", "0"]
    assert {line.partition(":")[0] for visit in server.visits for line in visit.head.split("\r\n")[1:]} == {
        "Host",
        "Accept-Encoding",
        "X-One",
        "Content-Length",
    }

"""Nothing is ever sent into a private network unless that is allowed, whatever a name resolves to."""

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.relay.conftest import MakeWorld
from tests.relay.world import HASTE, Target, serving
from workers.actions.addresses import Found, is_public
from workers.actions.post import Road

PUBLIC = "93.184.215.14"


class Names:
    """A name server that says what it is told to: one list of addresses after the other, the last for ever."""

    def __init__(self, *answers: Sequence[str], port: int = 0) -> None:
        self.answers = list(answers)
        self.port = port
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[Found]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            (socket.AF_INET6, (one, self.port or port, 0, 0))
            if ":" in one
            else (socket.AF_INET, (one, self.port or port))
            for one in answer
        ]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "0.1.2.3", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::"),
        *("2001:0:4136:e378:8000:63bf:f5ff:fffe", "localhost", "example.com", "127.1", ""),
    ],
)
def test_it_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_it_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_a_private_target_gets_nothing_unless_it_is_allowed(make_world: MakeWorld, target: Target, host: str) -> None:
    world = make_world(target.url.replace("127.0.0.1", host), private=False)
    world.arrive()
    assert world.send() == 0
    assert target.connections == 0
    assert "private network" in world.rows()[0].last_error
    (incident,) = world.opened().values()
    assert "DLR_RELAY_PRIVATE=true" in incident.next_step


def test_a_name_that_resolves_to_a_private_address_gets_nothing(make_world: MakeWorld, target: Target) -> None:
    world = make_world(target.url.replace("127.0.0.1", "app.example.com"), private=False)
    world.arrive()
    assert world.sender(Road(Names(["127.0.0.1", "::1"]), False, HASTE)).run(5) == 0
    assert target.connections == 0
    assert "private network" in world.rows()[0].last_error


def test_a_name_is_asked_for_once_so_that_its_second_answer_is_worth_nothing(
    make_world: MakeWorld, target: Target
) -> None:
    world = make_world(target.url.replace("127.0.0.1", "app.example.com"), private=False)
    world.arrive()
    # Nothing listens at the first address for the test; what matters is that the second is never gone to.
    names = Names(["203.0.113.1", PUBLIC], ["127.0.0.1"])
    assert world.sender(Road(names, False, HASTE)).run(0.1) == 0
    assert names.asked == 1
    assert target.connections == 0
    assert "private" not in world.rows()[0].last_error


def test_of_mixed_addresses_only_the_public_ones_are_tried(make_world: MakeWorld, target: Target) -> None:
    world = make_world(target.url.replace("127.0.0.1", "app.example.com"), private=False)
    world.arrive()
    assert world.sender(Road(Names(["127.0.0.1", PUBLIC]), False, HASTE)).run(0.1) == 0
    assert target.connections == 0
    assert "private" not in world.rows()[0].last_error


def test_where_private_targets_are_allowed_the_next_address_is_tried_and_the_name_is_kept(
    make_world: MakeWorld, target: Target
) -> None:
    port = target.server_address[1]
    world = make_world(f"http://App.Example.com:{port}/dlr")
    world.arrive()
    # Nobody listens on the first.
    assert world.sender(Road(Names(["127.0.0.2", "127.0.0.1"]), True, HASTE)).run(5) == 1
    assert target.seen[0].header("Host") == f"app.example.com:{port}"


def test_a_name_that_there_is_not_is_trouble(make_world: MakeWorld) -> None:
    world = make_world("http://no-such-name.invalid/")
    world.arrive()
    assert world.send() == 0
    assert world.rows()[0].last_error == "its host's name is not found"


def test_the_environments_proxy_is_not_used(
    make_world: MakeWorld, target: Target, other: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other.url)
    world = make_world(target.url)
    world.arrive()
    assert world.send() == 1
    assert other.connections == 0


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Target, Path, list[str | None]]]:
    """A target with a certificate of its own for app.example.com, that file, and the names it was asked for by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app.example.com")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("app.example.com"), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    asked: list[str | None] = []
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    both = tmp_path / "both.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    both.write_bytes(pem + file.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    context.sni_callback = lambda sock, name, context: asked.append(name)
    with serving() as target:
        target.socket = context.wrap_socket(target.socket, server_side=True)
        yield target, file, asked


def test_tls_asks_for_and_checks_the_urls_name_on_the_checked_address(
    make_world: MakeWorld, secure: tuple[Target, Path, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, file, asked = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    world = make_world("https://app.example.com/dlr https://wrong.example.com/dlr")
    world.arrive()
    names = Names(["127.0.0.1"], port=int(target.server_address[1]))
    assert world.sender(Road(names, True, HASTE)).run(5) == 1
    assert [seen.header("Host") for seen in target.seen] == ["app.example.com"]
    assert sorted(map(str, asked)) == ["app.example.com", "wrong.example.com"]
    errors = {row.target.split()[0]: row.last_error for row in world.rows()}
    assert "its certificate is not accepted" in errors["https://wrong.example.com"]


def test_a_certificate_of_a_stranger_is_not_accepted(
    make_world: MakeWorld, secure: tuple[Target, Path, list[str | None]]
) -> None:
    target, _, _ = secure
    world = make_world("https://app.example.com/dlr")
    world.arrive()
    names = Names(["127.0.0.1"], port=int(target.server_address[1]))
    assert world.sender(Road(names, True, HASTE)).run(5) == 0
    assert target.seen == []
    assert "its certificate is not accepted" in world.rows()[0].last_error

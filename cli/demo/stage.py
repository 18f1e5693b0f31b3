"""Where the demo plays: a state folder of its own, free ports, and settings that reach nobody outside."""

import secrets
import shlex
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.supervisor.lock import LOCK_FILE
from cli.supervisor.part import Part
from cli.supervisor.probe import answers

_FILES: Final = Path(__file__).parent
FOLDER: Final = "demo"
LOG: Final = "demo.log"
ENV: Final = "env"
_ROUTES: Final = "alert-routes.toml"
_MARK: Final = "this-folder-is-made-anew-by-every-demo"


class NotADemo(Exception):
    """The folder holds something that no demo has left there."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one demo plays with."""

    folder: Path
    web: int
    proxy: int
    infobip: int
    receiver: int
    token: str
    api_key: str

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of the service. Whatever the operator's environment says of a real Infobip is not among them."""
        return {
            "DLR_STATE_DIR": str(self.folder),
            "DLR_POLICY": str(_FILES / "policy.toml"),
            "DLR_WEB_BIND": f"127.0.0.1:{self.web}",
            "DLR_PROXY_BIND": f"127.0.0.1:{self.proxy}",
            "DLR_URL_TOKEN": self.token,
            "DLR_INFOBIP_URL": f"http://127.0.0.1:{self.infobip}",
            "DLR_INFOBIP_KEY": self.api_key,
            "DLR_ALERT_ROUTES": str(self.folder / _ROUTES),
            "DLR_QUIET_HOURS": "off",
            "DLR_SWEEP": "1s",
            "DLR_LOG_FORMAT": "json",
        }

    def infobip_part(self) -> Part:
        """The offline Infobip."""
        url = f"http://127.0.0.1:{self.web}/webhook/{{channel}}/{self.token}"
        options = {
            "--port": str(self.infobip),
            "--scenario": str(_FILES / "scenario.toml"),
            "--notify-url": url,
            "--api-key": self.api_key,
        }
        argv = (sys.executable, "-m", "cli.main", "simulate", *(word for pair in options.items() for word in pair))
        return Part(
            name="infobip",
            argv=argv,
            is_ready=lambda: answers("127.0.0.1", self.infobip, "/simulator/counts"),
        )

    def receiver_part(self) -> Part:
        """What hears of incidents."""
        argv = (sys.executable, "-m", "cli.demo.receiver", str(self.receiver))
        return Part(name="receiver", argv=argv, is_ready=lambda: answers("127.0.0.1", self.receiver, "/"))

    def play_part(self) -> Part:
        """What sends, watches and tells."""
        argv = (sys.executable, "-m", "cli.demo.play", str(self.proxy), str(self.receiver), self.api_key)
        after = ("infobip", "receiver", "web", "proxy", "process", "effects", "beat")
        return Part(name=FOLDER, argv=argv, after=after, once=True, tries=1)


def exports(settings: Mapping[str, str]) -> str:
    """Return lines by which a shell's commands get the demo's settings."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())


def make_folder(state_dir: Path) -> Path:
    """Return the demo's folder inside `state_dir`. Raises `NotADemo` where something else is there."""
    folder = (state_dir / FOLDER).absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise NotADemo(f"{folder} holds something that no demo has made; set DLR_STATE_DIR to another folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / _MARK).touch()
    return folder


def empty(folder: Path) -> None:
    """Remove what the last demo left. The caller holds the folder's lock."""
    for left in folder.iterdir():
        if left.name in (_MARK, LOCK_FILE):
            continue
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


def set_stage(folder: Path) -> Stage:
    """Return a stage in `folder`, with ports that are free now."""
    web, proxy, infobip, receiver = _free_ports(4)
    (folder / _ROUTES).write_text(f'[demo]\nurl = "json://127.0.0.1:{receiver}/"\n', "utf-8")
    return Stage(folder, web, proxy, infobip, receiver, secrets.token_urlsafe(12), secrets.token_urlsafe(12))


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports

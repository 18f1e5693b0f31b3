"""The service, an offline Infobip and the play, until a signal ends them."""

import os
import sys

from cli.demo.screen import DemoScreen
from cli.demo.stage import ENV, LOG, NotADemo, Stage, empty, exports, make_folder, set_stage
from cli.supervisor.composition import parts_of
from cli.supervisor.lock import AlreadyRunning, take_lock
from cli.supervisor.loop import Supervisor
from cli.supervisor.roles import warm_up
from cli.supervisor.valkey import NoBroker, prepare
from cli.supervisor.welcome import from_here
from config.settings import SettingsError, forget_settings, load_settings, set_for_children


def main() -> int:
    """Run it. Return 0 after a stop by signal, 1 where it could not start or the play failed."""
    os.umask(0o077)
    try:
        folder = make_folder(load_settings().state_dir)
        held = take_lock(folder)
        empty(folder)
        return play(set_stage(folder), held)
    except SettingsError as error:
        print(f"Error: These settings are wrong:\n{error}", file=sys.stderr)
        return 2
    except (NotADemo, AlreadyRunning, NoBroker, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def play(stage: Stage, held: int) -> int:
    """Run the service and the play in it."""
    forget_settings()
    set_for_children(stage.settings)
    settings = load_settings()
    valkey = prepare(stage.folder)
    set_for_children({"DLR_REDIS_URL": valkey.url})
    parts = [*parts_of(settings, valkey), stage.infobip_part(), stage.receiver_part(), stage.play_part()]
    log = stage.folder / LOG
    print(f"Starting the service beside an offline Infobip. What they log goes to {from_here(log)}.", flush=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    (stage.folder / ENV).write_text(exports(stage.settings), "utf-8")
    screen = DemoScreen(log=descriptor, names=[part.name for part in parts])

    def finished() -> None:
        print("All of it goes on running, so look around: other commands know of it after", flush=True)
        print(f"     . {from_here(stage.folder / ENV)}\nCtrl-C ends it.", flush=True)

    return Supervisor(parts, screen, on_ready=finished, warm_up=warm_up, held=(held,)).run()

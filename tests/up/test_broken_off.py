"""Ctrl-C while a program of ours is still being imported, which takes seconds on a busy machine."""

import subprocess
import sys

import pytest

from tests.up.runs import ROOT

# Ctrl-C comes at the very moment at which `late` is about to be imported.
PRESSED = """
import os, runpy, signal, sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == "{late}":
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Pressed())
sys.argv = ["dlr", "reports"]
runpy.run_module("{program}", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("program", "late", "code"),
    [("cli.main", "click", 130), ("cli.supervisor", "sqlalchemy", 0), ("cli.demo", "sqlalchemy", 0)],
)
def test_ctrl_c_during_the_start_ends_it_without_a_traceback(program: str, late: str, code: int) -> None:
    argv = [sys.executable, "-c", PRESSED.format(program=program, late=late)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")

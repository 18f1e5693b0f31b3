"""The Dockerfile: what goes into the image, as whom it runs, and that only hashes decide what is installed."""

import fnmatch
import re

from tests.house.project import PACKAGES, ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
# A backslash joins lines; comments end with theirs.
LINES = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE)).splitlines()
INSTRUCTIONS = [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in LINES if line.strip()]


def told(name: str) -> list[str]:
    """Return what follows each instruction of that name."""
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def test_it_builds_in_one_stage_and_runs_in_another() -> None:
    images = told("FROM")
    assert [image.partition(" AS ")[2] for image in images] == ["build", ""]
    assert len({image.partition(" AS ")[0] for image in images}) == 1


def test_it_names_no_registry_and_fetches_nothing_by_itself() -> None:
    assert not re.search(r"https?://(?!127\.0\.0\.1)|index-url|curl|wget|apt-get|git ", DOCKERFILE)
    assert not [image for image in told("FROM") if "/" in image or "." in image.partition(":")[0]]


def test_every_package_comes_with_a_hash() -> None:
    installs = [command for command in told("RUN") if "pip install" in command]
    assert len(installs) == 2
    assert "--require-hashes --only-binary :all: -r requirements.lock" in installs[0]
    assert "--no-deps --no-build-isolation --no-index ." in installs[1]


def test_every_room_is_copied_and_nothing_else() -> None:
    copied = {words.split()[0] for words in told("COPY") if not words.startswith("--from")}
    assert copied == {*PACKAGES, "requirements.lock", "pyproject.toml"}
    assert "COPY pyproject.toml README.md LICENSE ./" in DOCKERFILE


def test_what_is_copied_is_sent_to_the_engine_and_nothing_else() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    sent = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[0] == "*"
    assert sent == {*PACKAGES, "requirements.lock", "pyproject.toml", "README.md", "LICENSE"}
    for secret in ("secrets", "var", ".env", ".git"):
        assert not any(fnmatch.fnmatch(secret, name) for name in sent)


def test_it_does_not_run_as_root() -> None:
    (user,) = told("USER")
    assert user.split(":")[0].isdigit()
    assert int(user.split(":")[0]) > 0
    last = [instruction for instruction, _ in INSTRUCTIONS]
    assert last.index("USER") < last.index("CMD")


def test_the_health_check_needs_no_other_program() -> None:
    (check,) = told("HEALTHCHECK")
    assert 'CMD ["python", "-c"' in check
    assert "/readyz" in check

"""Read policy files: the operator's before the shipped one."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from marshmallow import Schema, ValidationError

from codes import Tables, shipped
from codes.suggest import did_you_mean
from policy.check import faults_of
from policy.decision import Mode
from policy.errors import PolicyError, PolicyFault
from policy.rules import Limits, Purposes, Rule, Rules
from policy.schema import LimitsSchema, ModesSchema, PurposesSchema, retry_plan, rule_schema

SHIPPED: Final = Path(__file__).parent.parent / "config" / "policy.toml"
SECTIONS: Final = frozenset({"version", "extends", "modes", "limits", "purposes", "rule"})
_MODES: Final = {"retry": Mode.OBSERVE, "suppress": Mode.PROPOSE, "alert": Mode.ACT, "forward": Mode.ACT}


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    data: Mapping[str, Any]
    digest: bytes


def load_policy(own: Path | None = None, tables: Tables | None = None) -> Rules:
    """Return the rules in force: those of `own` first, then the shipped ones unless `own` says `extends = false`.

    Raises `PolicyError` with every mistake found, and `OSError` for a file that cannot be read.
    """
    tables = tables or shipped().tables
    if own is None and tables is shipped().tables:
        return shipped_policy()
    return _load(own, tables)


def _load(own: Path | None, tables: Tables) -> Rules:
    files = [_read(own)] if own and own.resolve() != SHIPPED.resolve() else []
    if not files or files[0].data.get("extends", True):
        files.append(_read(SHIPPED))
    faults: list[PolicyFault] = []
    for file in files:
        faults += _shape_faults(file)
    if faults:
        # Nothing inside a section of the wrong shape can be looked at.
        raise PolicyError(faults)
    for file in files:
        faults += _name_faults(file)
    modes: dict[str, Mode] = _MODES | _merged("modes", files, ModesSchema(), faults)
    limits: Limits = _loaded(LimitsSchema(), _raw("limits", files), "limits", files[0].name, faults) or Limits()
    purposes: Purposes = (
        _loaded(PurposesSchema(), _raw("purposes", files), "purposes", files[0].name, faults) or Purposes()
    )
    schema = rule_schema(tables)
    rules: list[Rule] = []
    for file in files:
        found = [rule for rule in _rules(file, schema, limits, faults) if rule]
        faults += faults_of(found, tables)
        rules += found
    faults += _doubles(rules)
    if faults:
        raise PolicyError(faults)
    return Rules(tuple(rules), _version(files, tables), modes, limits, purposes)


@cache
def shipped_policy() -> Rules:
    """Return the shipped policy over the shipped tables, loaded once per process."""
    return _load(None, shipped().tables)


def _read(path: Path) -> _File:
    content = path.read_bytes()
    name = str(path) if path != SHIPPED else "config/policy.toml"
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fix = "Correct it there; `dlr policy check FILE` tells when it is right."
        raise PolicyError([PolicyFault(name, "the file", f"it is not TOML: {error}", fix)]) from None
    return _File(name, data, hashlib.sha256(content).digest())


def _version(files: list[_File], tables: Tables) -> str:
    return hashlib.sha256(b"".join(file.digest for file in files) + tables.hash.encode()).hexdigest()[:12]


def _shape_faults(file: _File) -> Iterator[PolicyFault]:
    for name in ("modes", "limits", "purposes"):
        if not isinstance(file.data.get(name, {}), dict):
            yield PolicyFault(file.name, name, "it is not a table", f"Write it below a line [{name}].")
    rules = file.data.get("rule", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        yield PolicyFault(file.name, "rule", "it is not a list of tables", "Begin every rule with a line [[rule]].")
    if not isinstance(file.data.get("extends", True), bool):
        yield PolicyFault(file.name, "extends", "it is neither true nor false", "Write extends = true or false.")


def _name_faults(file: _File) -> Iterator[PolicyFault]:
    for name in file.data.keys() - SECTIONS:
        yield PolicyFault(file.name, name, "there is no such section", did_you_mean(name, SECTIONS))
    if file.data.get("version", 1) != 1:
        yield PolicyFault(file.name, "version", "only version 1 of the language exists", "Write version = 1.")


def _raw(section: str, files: list[_File]) -> dict[str, Any]:
    """Lay the operator's keys of a section over the shipped ones."""
    merged: dict[str, Any] = {}
    for file in reversed(files):
        merged |= file.data.get(section, {})
    return merged


def _merged(section: str, files: list[_File], schema: Schema, faults: list[PolicyFault]) -> dict[str, Any]:
    return _loaded(schema, _raw(section, files), section, files[0].name, faults) or {}


def _loaded(schema: Schema, data: Any, where: str, file: str, faults: list[PolicyFault]) -> Any:
    try:
        return schema.load(data)
    except ValidationError as error:
        faults += [_fault(file, where, path, message, schema) for path, message in _flat(error.messages)]
        return None


def _rules(file: _File, schema: Schema, limits: Limits, faults: list[PolicyFault]) -> Iterator[Rule | None]:
    for number, data in enumerate(file.data.get("rule", []), start=1):
        where = f"rule {data.get('id', number)!r}"
        loaded = _loaded(schema, data, where, file.name, faults)
        if loaded is None:
            continue
        retry = loaded.pop("retry")
        yield Rule(
            id=loaded.pop("id"),
            file=file.name,
            conditions=loaded.pop("match"),
            retry=retry_plan(retry, limits) if retry else None,
            **loaded,
        )


def _flat(messages: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Walk marshmallow's nested messages."""
    if isinstance(messages, dict):
        for key, value in messages.items():
            yield from _flat(value, (*path, str(key)))
    elif isinstance(messages, list):
        for value in messages:
            yield from _flat(value, path)
    else:
        yield path, str(messages)


def _fault(file: str, where: str, path: tuple[str, ...], message: str, schema: Schema) -> PolicyFault:
    at = f"{where}, {'.'.join(path)}" if path else where
    if message == "Unknown field.":
        fields = _fields_at(schema, path[:-1])
        return PolicyFault(file, at, f"there is no key {path[-1]!r}", did_you_mean(path[-1], fields))
    problem, _, fix = message.partition(". ")
    return PolicyFault(file, at, problem.rstrip("."), fix or "docs/policy.md lists what may stand there.")


def _fields_at(schema: Schema, path: tuple[str, ...]) -> list[str]:
    for step in path:
        if step.isdecimal():
            continue  # a place in a list, whose schema is the one that holds
        nested = next((f for name, f in schema.fields.items() if step in (name, f.data_key)), None)
        inner = getattr(nested, "schema", None) or getattr(getattr(nested, "inner", None), "schema", None)
        if inner is None:
            break
        schema = inner
    return [field.data_key or name for name, field in schema.fields.items()]


def _doubles(rules: list[Rule]) -> Iterator[PolicyFault]:
    seen: dict[str, Rule] = {}
    for rule in rules:
        first = seen.setdefault(rule.id, rule)
        if first is not rule and first.file == rule.file:
            yield PolicyFault(
                rule.file, f"rule {rule.id!r}", "the id stands there twice", "Give each rule an id of its own."
            )

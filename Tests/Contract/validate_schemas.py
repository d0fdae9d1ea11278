#!/usr/bin/env python3
"""Holds the schemas and the examples of the message contract together.

    validate_schemas.py            check schemas/ and its examples
    validate_schemas.py --events   check events, one JSON text a line, from standard input

Prints a line for each failure and at the end "N passed, N failed". Exits with 1 when something failed.
Needs python3 and the module jsonschema (Debian: python3-jsonschema).
"""

import copy
import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError, best_match

sys.dont_write_bytecode = True  # of what lies beside this file
from patterns import searches  # noqa: E402
from tally import Tally  # noqa: E402

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
EXAMPLES = SCHEMAS / "examples"
COMMANDS = ("grant", "revoke", "query")
EVENTS = ("event.result", "event.query-page")
PAGE = "consent.query.page"
MISSING = "(missing)"
CATEGORIES = ("malformedMessage", "invalidCommand", "ownTenantRefused")


def pattern(validator, pattern, value, schema):
    if validator.is_type(value, "string") and not searches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


# The module's own reading of patterns is Python's, not that of JSON Schema.
Validator = validators.extend(Draft202012Validator, {"pattern": pattern})


def refuse_constant(text):
    raise ValueError(f"{text} is not JSON")


def parse(data):
    """The value of a JSON text. Raises ValueError when the bytes are not JSON in UTF-8."""
    return json.loads(data.decode("utf-8"), parse_constant=refuse_constant)


def fault(validator, value):
    """What is wrong with the value, or None."""
    error = best_match(validator.iter_errors(value))
    return error and f"{error.json_path}: {error.message[:200]}"


def load_validators(tally):
    """The validators by kind: grant, revoke, query, event.result, event.query-page."""
    result = {}
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        try:
            schema = parse(path.read_bytes())
            Draft202012Validator.check_schema(schema)
        except (ValueError, SchemaError) as error:
            tally.check(path.name, error)
            continue
        name = schema_name(path)
        tally.check(path.name, problem_of_schema(schema, name))
        result[name.removeprefix("command.")] = Validator(schema)
    for kind in (*COMMANDS, *EVENTS):
        tally.check(f"schema of {kind}", None if kind in result else "missing")
    return result


def check_shared(tally, validators):
    """What schemas have in common is written down in each, for they stand alone: it must be the same."""
    for kinds, pointers in (
        (COMMANDS, ("$defs/guid", "$defs/dateTime", "properties/commandId", "properties/deadline")),
        (EVENTS, ("$defs/guid", "properties/time", "properties/traceparent", "properties/tracestate")),
    ):
        for pointer in pointers:
            parts = pointer.split("/")
            first, *others = [validators[kind].schema[parts[0]][parts[1]] for kind in kinds]
            tally.check(f"{pointer} of {', '.join(kinds)}", None if others == [first] * len(others) else "differ")


def schema_name(path):
    return path.name.removesuffix(".schema.json")


def problem_of_schema(schema, name):
    """A schema must name itself and stand alone: references stay inside it."""
    if schema.get("$id") != f"urn:consent-worker:schema:1:{name}":
        return f"unexpected $id {schema.get('$id')}"
    outside = [target for target in references(schema) if not target.startswith("#/$defs/")]
    return f"references other documents: {outside}" if outside else None


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def kind_of(path):
    """What an example is one of, by the beginning of its name. `command` is no kind: it stands for every command."""
    if path.name.startswith("event.query-page."):
        return "event.query-page"
    kind = path.name.split(".", 1)[0]
    return "event.result" if kind == "event" else kind


def check_valid(tally, validators):
    for path in sorted((EXAMPLES / "valid").iterdir()):
        kind = kind_of(path)
        name = f"valid/{path.name}"
        if kind not in validators:
            tally.check(name, f"no schema for {kind}")
            continue
        try:
            value = parse(path.read_bytes())
        except ValueError as error:
            tally.check(name, error)
            continue
        tally.check(name, fault(validators[kind], value))
        for other in COMMANDS if kind in COMMANDS else EVENTS:
            if other != kind:
                accepted = validators[other].is_valid(value)
                tally.check(f"{name} as {other}", "accepted" if accepted else None)


def check_invalid(tally, validators):
    folder = EXAMPLES / "invalid"
    expectations = parse((folder / "expectations.json").read_bytes())
    files = {path.name for path in folder.iterdir()} - {"expectations.json"}
    for name in sorted(files ^ set(expectations)):
        tally.check(f"invalid/{name}", "no expectation" if name in files else "no such file")
    for name in sorted(files & set(expectations)):
        expected = expectations[name]
        tally.check(f"expectation of {name}", problem_of_expectation(name, expected))
        tally.check(f"invalid/{name}", problem_of_invalid(folder / name, expected, validators))


def problem_of_expectation(name, expected):
    if name.startswith("event."):
        return None if expected == {"schema": True, "event": True} else "unexpected form"
    if set(expected) != {"category", "pointers", "schema"} or not isinstance(expected["schema"], bool):
        return "unexpected form"
    if expected["category"] not in CATEGORIES:
        return f"unknown category {expected['category']}"
    pointers = expected["pointers"]
    if not pointers or pointers != sorted(set(pointers)):
        return "pointers must be sorted, each once, at least one"
    if expected["category"] == "malformedMessage" and pointers != [""]:
        return "a malformed message is at fault as a whole"
    return None


def problem_of_invalid(path, expected, validators):
    """The schema must refuse the file if and only if the expectation says so. `command.` stands for every kind."""
    kinds = COMMANDS if kind_of(path) == "command" else (kind_of(path),)
    try:
        value = parse(path.read_bytes())
    except ValueError:
        return "is not JSON: a schema cannot refuse it" if expected["schema"] else None
    for kind in kinds:
        if kind not in validators:
            return f"no schema for {kind}"
        if validators[kind].is_valid(value) == expected["schema"]:
            return f"the schema of {kind} {'accepts' if expected['schema'] else 'refuses'} it"
    return None


def invalid_events(kind):
    """The events of invalid_events.json: valid examples, each with one member changed or taken away."""
    table = parse((Path(__file__).parent / "invalid_events.json").read_bytes())
    for file, edits in table.items():
        if kind_of(Path(file)) != kind:
            continue
        event = parse((EXAMPLES / "valid" / file).read_bytes())
        for pointer, values in edits.items():
            for value in values:
                yield f"{file} with {pointer} = {json.dumps(value)[:80]}", edited(event, pointer, value)


def edited(event, pointer, value):
    """The event with another value at a JSON Pointer; MISSING takes the member away."""
    *parents, name = [int(part) if part.isdigit() else part for part in pointer.split("/")[1:]] or [None]
    if name is None:
        return value
    event = copy.deepcopy(event)
    target = event
    for part in parents:
        target = target[part]
    if value == MISSING:
        del target[name]
    else:
        target[name] = value
    return event


def check_invalid_events(tally, validators):
    for kind in EVENTS:
        for name, event in invalid_events(kind):
            tally.check(name, "accepted" if validators[kind].is_valid(event) else None)


def check_events(tally, validators, lines):
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = parse(line)
            kind = "event.query-page" if isinstance(event, dict) and event.get("type") == PAGE else "event.result"
            tally.check(f"line {number}", fault(validators[kind], event))
        except ValueError as error:
            tally.check(f"line {number}", error)


def main(arguments):
    if arguments not in ([], ["--events"]):
        print(__doc__, file=sys.stderr)
        return 64
    tally = Tally()
    if arguments:
        validators = load_validators(Tally())
        check_events(tally, validators, sys.stdin.buffer)
    else:
        validators = load_validators(tally)
        if tally.failed == 0:
            check_shared(tally, validators)
            check_valid(tally, validators)
            check_invalid(tally, validators)
            check_invalid_events(tally, validators)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

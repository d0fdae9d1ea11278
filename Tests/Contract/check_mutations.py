#!/usr/bin/env python3
"""Changes the schemas of the message contract, one thing at a time: every change must show in an example.

    check_mutations.py [NAME …]    all schemas, or those of these names, such as event.result

A mutant takes a property, a required name or a constraint away, or makes one wider, narrower or of another type. It is
caught when it refuses a valid example or accepts an invalid one: then the examples, and with them the worker, which is
tested against the same files, say all that the schema says. Annotations are left alone.

Prints a line for each mutant that no example catches and at the end "N passed, N failed". Exits with 1 on failures.
Needs python3 and the module jsonschema (Debian: python3-jsonschema).
"""

import copy
import json
import sys

sys.dont_write_bytecode = True  # of what lies beside this file
from patterns import pattern_mutants  # noqa: E402
from tally import Tally  # noqa: E402
from validate_schemas import (  # noqa: E402
    COMMANDS,
    EXAMPLES,
    SCHEMAS,
    Validator,
    invalid_events,
    kind_of,
    parse,
    schema_name,
)

ANNOTATIONS = {"$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "format"}
TYPES = ("null", "string", "integer", "number", "boolean", "object", "array")
# Keywords by what they hold.
SCHEMA_MAPS = ("properties", "$defs")
SCHEMA_LISTS = ("allOf", "anyOf")
SUBSCHEMAS = ("items", "additionalProperties", "propertyNames", "not", "if", "then", "else")
OTHERS = {"type", "const", "enum", "pattern", "required", "uniqueItems", "$ref"}
BOUNDS = ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum")
KNOWN = ANNOTATIONS.union(SCHEMA_MAPS, SCHEMA_LISTS, SUBSCHEMAS, OTHERS, BOUNDS)
# Types that are there for readers only, with the reason why nothing can show it when they are gone.
EQUIVALENT = {
    # A `not` with a pattern refuses whatever is no text.
    "command.grant #/$defs/scope: no type",
    "command.grant #/$defs/scope: type string or null",
    # Whatever is no object meets every condition about data, and what follows from them contradicts itself.
    "event.result #/$defs/data: no type",
    "event.result #/$defs/data: type object or null",
}


def nodes(schema, path=()):
    """All schemas in a schema, each with its path."""
    if not isinstance(schema, dict):
        return
    if unknown := schema.keys() - KNOWN:
        raise ValueError(f"{'/'.join(map(str, path))}: no mutants are known of {', '.join(sorted(unknown))}")
    yield path, schema
    for keyword in SCHEMA_MAPS:
        for name, child in schema.get(keyword, {}).items():
            yield from nodes(child, (*path, keyword, name))
    for keyword in SCHEMA_LISTS:
        for index, child in enumerate(schema.get(keyword, [])):
            yield from nodes(child, (*path, keyword, index))
    for keyword in SUBSCHEMAS:
        if keyword in schema:
            yield from nodes(schema[keyword], (*path, keyword))


def is_guard(path, node):
    """Whether a condition requires what it tests: it would else hold for an absent member, which is refused anyway."""
    return "if" in path and set(node.get("required", [])) <= set(node.get("properties", {}))


def changes(path, node):
    """The mutants of one node, without those below it: what was done, and the changed node."""

    def changed(**members):
        return {**node, **members}

    for keyword, value in node.items():
        if keyword in ANNOTATIONS or (keyword == "required" and is_guard(path, node)):
            continue
        yield f"no {keyword}", {name: other for name, other in node.items() if name != keyword}
        if keyword == "properties":
            for name in value:
                without = {other: child for other, child in value.items() if other != name}
                yield f"no property {name}", changed(properties=without)
        elif keyword == "required":
            for name in value:
                yield f"{name} not required", changed(required=[other for other in value if other != name])
        elif keyword in SCHEMA_LISTS:
            for index in range(len(value)):
                yield f"no {keyword}/{index}", changed(**{keyword: value[:index] + value[index + 1 :]})
        elif keyword == "type":
            for types in type_mutants(value if isinstance(value, list) else [value]):
                yield f"type {' or '.join(types)}", changed(type=types)
        elif keyword == "const":
            yield "another const", changed(const=different(value))
        elif keyword == "enum":
            yield "any text for enum", {
                **{name: other for name, other in node.items() if name != "enum"},
                "type": ["string", "null"] if None in value else "string",
            }
            for index in range(len(value)):
                yield f"no {value[index]!r} in enum", changed(enum=value[:index] + value[index + 1 :])
        elif keyword == "pattern":
            for what, pattern in pattern_mutants(value):
                yield f"pattern {what}", changed(pattern=pattern)
        elif keyword in BOUNDS:
            for bound in (value - 1, value + 1):
                if bound >= 0 or keyword == "minimum":
                    yield f"{keyword} {bound}", changed(**{keyword: bound})
    if "properties" in node and "type" in node:
        for name in node["properties"]:
            if name not in node.get("required", []):
                yield f"{name} required", changed(required=[*node.get("required", []), name])
    if "object" in node.get("type", ()) and "additionalProperties" not in node:
        yield "no other properties", changed(additionalProperties=False)


def type_mutants(types):
    """Other types, one more, one less."""
    others = [name for name in TYPES if name not in types]
    if len(types) == 1:
        yield from ([name] for name in others)
    else:
        yield from ([other for other in types if other != name] for name in types)
    yield [*types, others[0]]


def different(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}-"


def replaced(schema, path, node):
    """The schema with another node at a path."""
    if not path:
        return node
    result = copy.copy(schema)
    result[path[0]] = replaced(schema[path[0]], path[1:], node)
    return result


def mutants(schema):
    for path, node in nodes(schema):
        for what, changed in changes(path, node):
            yield f"#/{'/'.join(map(str, path))}: {what}", replaced(schema, path, changed)


def examples(name):
    """The JSON values that are judged by a schema, each with its file's name and whether it is to be accepted."""
    kind = name.split(".", 1)[1] if name.startswith("command.") else name
    expectations = parse((EXAMPLES / "invalid" / "expectations.json").read_bytes())
    for path in sorted((EXAMPLES / "valid").iterdir()):
        if kind_of(path) == kind:
            yield path.name, parse(path.read_bytes()), True
        elif kind in COMMANDS and kind_of(path) in COMMANDS:
            yield path.name, parse(path.read_bytes()), False
    for file, expected in sorted(expectations.items()):
        path = EXAMPLES / "invalid" / file
        if kind_of(path) == kind or (kind_of(path) == "command" and kind in COMMANDS):
            try:
                yield file, parse(path.read_bytes()), not expected["schema"]
            except ValueError:
                pass  # not JSON: no schema sees it
    for file, event in invalid_events(name):
        yield file, event, False


def is_caught(mutant, cases):
    """Whether an example disagrees with the mutant; it is moved to the front, for it may catch the next one too."""
    validator = Validator(mutant)
    for index, (_, value, expected) in enumerate(cases):
        if validator.is_valid(value) != expected:
            cases.insert(0, cases.pop(index))
            return True
    return False


def main(arguments):
    paths = {schema_name(path): path for path in sorted(SCHEMAS.glob("*.schema.json"))}
    if not paths.keys() >= set(arguments):
        print(__doc__, file=sys.stderr)
        return 64
    tally = Tally()
    for name in arguments or paths:
        schema = parse(paths[name].read_bytes())
        cases = list(examples(name))
        tally.check(name, "an example disagrees with the schema itself" if is_caught(schema, cases) else None)
        for what, mutant in mutants(schema):
            caught = is_caught(mutant, cases)
            if f"{name} {what}" in EQUIVALENT:
                tally.check(f"{name} {what}", "is caught: no exception is needed" if caught else None)
            else:
                tally.check(f"{name} {what}", None if caught else "no example catches it")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

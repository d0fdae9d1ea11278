#!/usr/bin/env python3
"""Checks schemas/asyncapi.yaml: by two readers of AsyncAPI that know nothing of each other, then against the JSON
Schemas and the worker's source. That a check can fail is shown on copies of the document with one thing broken.

Prints a line for each failure and at the end "N passed, N failed". Exits with 1 when something failed.
Needs what requirements.txt lists; the script `check` beside this one provides it.
"""

import contextlib
import copy
import io
import json
import re
import sys
import tempfile
import warnings
from pathlib import Path

import yaml

sys.dont_write_bytecode = True
warnings.simplefilter("ignore")  # of the readers about themselves
from asyncapi3 import AsyncAPI3  # noqa: E402
from asyncapi_python_codegen.parser import extract_all_operations  # noqa: E402
from asyncapi_python_codegen.validation import Severity, ValidationError  # noqa: E402

from tally import Tally  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas"
FORMAT = "application/schema+json;version=draft-2020-12"


def strict_reader(document):
    """asyncapi3: every object has the members that AsyncAPI and the bindings of AMQP give it, and no others."""
    AsyncAPI3.model_validate(document)


def resolving_reader(document):
    """asyncapi-python: from the operations along the references; it generates clients from such a document."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "asyncapi.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                extract_all_operations(path)
            except ValidationError as error:
                # One rule does not follow the references of a channel to its messages: see `locations`.
                issues = [
                    issue
                    for issue in error.issues
                    if issue.severity == Severity.ERROR and issue.rule != "location-path-exists-in-schema"
                ]
                if issues:
                    raise


def nodes(value, path=""):
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from nodes(child, f"{path}/{name}")


def target(document, reference):
    """What a reference leads to: in the document or in a file beside it."""
    file, _, pointer = reference.partition("#")
    value = json.loads((SCHEMAS / file).read_text()) if file else document
    for part in pointer.split("/")[1:]:
        value = value[part.replace("~1", "/").replace("~0", "~")]
    return value


def references(document):
    """Every reference leads somewhere, and the messages of an operation are among those of its channel."""
    for path, value in nodes(document):
        if path.endswith("/$ref"):
            try:
                target(document, value)
            except (OSError, KeyError, TypeError) as error:
                raise ValueError(f"{path}: {value} leads nowhere") from error
    for name, operation in document["operations"].items():
        for side in filter(None, (operation, operation.get("reply"))):
            channel = side["channel"]["$ref"]
            for message in side.get("messages", []):
                if not message["$ref"].startswith(f"{channel}/messages/"):
                    raise ValueError(f"operation {name}: {message['$ref']} is not of {channel}")


def locations(document):
    """The members that parameters and correlation IDs point at are in the payloads."""
    for name, channel in document["channels"].items():
        for message in channel["messages"].values():
            message = target(document, message["$ref"])
            pointed = [parameter["location"] for parameter in channel.get("parameters", {}).values()]
            if "correlationId" in message:
                pointed.append(target(document, message["correlationId"]["$ref"])["location"])
            for location in pointed:
                schema = schema_of = target(document, message["payload"]["schema"]["$ref"])
                for part in location.removeprefix("$message.payload#/").split("/"):
                    if part not in schema["properties"]:
                        raise ValueError(f"channel {name}: {location} is not in {message['name']}")
                    schema = schema["properties"][part]
                    schema = schema_of["$defs"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema


def payloads(document):
    """Each schema describes one message, in its own format."""
    found = []
    for name, message in document["components"]["messages"].items():
        if "schema" in message["payload"]:
            if message["payload"]["schemaFormat"] != FORMAT:
                raise ValueError(f"message {name}: unexpected schemaFormat")
            found.append(message["payload"]["schema"]["$ref"].removeprefix("./"))
    expect("schemas of messages", found, [path.name for path in SCHEMAS.glob("*.schema.json")])


def routing_keys(document):
    """The addresses of events say what the types in the schemas say."""
    result = json.loads((SCHEMAS / "event.result.schema.json").read_text())
    page = json.loads((SCHEMAS / "event.query-page.schema.json").read_text())
    types = [name.split(".")[1:] for name in result["properties"]["type"]["enum"]]
    channels = document["channels"]
    parameters = channels["results"]["parameters"]
    expect("commands in addresses", parameters["command"]["enum"], {command for command, _ in types})
    expect("outcomes in addresses", parameters["outcome"]["enum"], {outcome for _, outcome in types})
    addresses = {name: channel["address"] for name, channel in channels.items()}
    expect(
        "addresses",
        addresses.items(),
        {
            "commands": "{applicationId}.{customerId}",
            "results": "{command}.{outcome}.{applicationId}",
            "pages": page["properties"]["type"]["const"].removeprefix("consent.") + ".{applicationId}",
            "replies": None,
            "deadLetters": "consent.dead-letters",
        }.items(),
    )


def topology(document):
    """Exchanges, queues and own headers are those of the worker's source."""
    names = literals("Topology/Topology.swift", r"consent\.[a-z.-]+[a-z]")
    used = {"commands": "consent.commands", "results": "consent.events", "pages": "consent.events", "replies": ""}
    for name, channel in document["channels"].items():
        binding = channel["bindings"]["amqp"]
        own = binding.get("exchange", binding.get("queue"))["name"]
        if own != used.get(name, channel["address"]) or (own and own not in names):
            raise ValueError(f"channel {name}: {own!r} is not what the worker has")
    headers = document["components"]["schemas"]
    expect(
        "headers of dead letters",
        headers["deadLetterHeaders"]["properties"],
        literals("Settlement/DeadLetter.swift", "consent-[a-z-]+"),
    )
    expect(
        "own headers of commands",
        set(headers["commandHeaders"]["properties"]) - set(headers["traceHeaders"]["properties"]),
        literals("Consumption/ReceivedMessage.swift", "consent-[a-z-]+"),
    )


def literals(file, pattern):
    text = (ROOT / "Sources" / "ConsentWorker" / file).read_text()
    return set(re.findall(f'"({pattern})"', text))


def expect(name, found, expected):
    if sorted(map(str, found)) != sorted(map(str, expected)):
        raise ValueError(f"{name}: {sorted(map(str, found))}, expected {sorted(map(str, expected))}")


CHECKS = (strict_reader, resolving_reader, references, locations, payloads, routing_keys, topology)

# What is broken, where, the value it gets (None: taken away), and the checks that must refuse it.
BROKEN = (
    (
        "reference to no channel",
        "operations/sendResult/channel/$ref",
        "#/channels/result",
        (resolving_reader, references),
    ),
    (
        "reference to no message",
        "channels/results/messages/result/$ref",
        "#/components/messages/x",
        (resolving_reader, references),
    ),
    (
        "reference to no schema file",
        "components/messages/grant/payload/schema/$ref",
        "./grant.json",
        (references, payloads),
    ),
    ("reference to no headers", "components/messages/grant/headers/$ref", "#/components/schemas/x", (references,)),
    ("channel of another name", "channels/result", "channels/results", (resolving_reader, references)),
    ("operation without channel", "operations/sendResult/channel", None, (strict_reader, references)),
    (
        "reply of another channel",
        "operations/receiveCommand/reply/messages/0/$ref",
        "#/channels/results/messages/result",
        (references,),
    ),
    ("no such action", "operations/sendResult/action", "publish", (strict_reader, resolving_reader)),
    ("unknown member", "channels/results/adress", "x", (strict_reader,)),
    ("unknown member of a binding", "channels/results/bindings/amqp/exchange/internal", True, (strict_reader,)),
    ("no such type of exchange", "channels/results/bindings/amqp/exchange/type", "stream", (strict_reader,)),
    ("no such kind of channel", "channels/results/bindings/amqp/is", "exchange", (strict_reader, resolving_reader)),
    ("parameter that is not in the address", "channels/pages/address", "query.page", (strict_reader, routing_keys)),
    (
        "address with a parameter too many",
        "channels/pages/address",
        "query.page.{applicationId}.{x}",
        (resolving_reader, routing_keys),
    ),
    ("address of another order", "channels/commands/address", "{customerId}.{applicationId}", (routing_keys,)),
    ("outcome that no event has", "channels/results/parameters/outcome/enum", ["succeeded", "lost"], (routing_keys,)),
    (
        "parameter that no message has",
        "channels/pages/parameters/applicationId/location",
        "$message.payload#/app",
        (locations,),
    ),
    (
        "parameter from a header",
        "channels/pages/parameters/applicationId/location",
        "$message.header#/x",
        (resolving_reader,),
    ),
    ("exchange of another name", "channels/results/bindings/amqp/exchange/name", "consent.results", (topology,)),
    ("exchange of another channel", "channels/results/bindings/amqp/exchange/name", "consent.commands", (topology,)),
    ("header that the worker has not", "components/schemas/deadLetterHeaders/properties/consent-x", {}, (topology,)),
    ("another version", "asyncapi", "2.6.0", (strict_reader, resolving_reader)),
    ("no title", "info/title", None, (strict_reader,)),
)


def broken(document, pointer, value):
    document = copy.deepcopy(document)
    *parents, name = pointer.split("/")
    parent = document
    for part in parents:
        parent = parent[int(part) if part.isdigit() else part]
    if value is None:
        del parent[name]
    elif name not in parent and isinstance(value, str) and "/" in value:
        parent[name] = parent.pop(value.split("/")[-1])  # renamed
    else:
        parent[name] = value
    return document


def problem(check, document):
    """Why a check refuses the document, or None."""
    try:
        check(document)
    except Exception as error:  # the readers raise what they like
        return f"{type(error).__name__}: {error}"
    return None


def main(arguments):
    if arguments:
        print(__doc__, file=sys.stderr)
        return 64
    tally = Tally()
    document = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text())
    for check in CHECKS:
        tally.check(check.__name__, problem(check, document))
    for what, pointer, value, checks in BROKEN:
        for check in checks:
            accepted = problem(check, broken(document, pointer, value)) is None
            tally.check(f"{check.__name__} on {what}", "accepted" if accepted else None)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

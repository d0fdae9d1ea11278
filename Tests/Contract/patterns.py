"""The regular expressions of the schemas: JSON Schema means those of ECMA-262."""

import functools
import re

# A class, an escaped character, a quantifier with bounds, or any other single character.
TOKEN = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\.|\{[0-9]+(?:,[0-9]+)?\}|.", re.DOTALL)


def searches(pattern, text):
    """Whether the text has a match of the pattern."""
    return compiled(pattern).search(text) is not None


@functools.cache
def compiled(pattern):
    # Python's $ matches before a line break at the end too.
    return re.compile("".join(r"\Z" if token == "$" else token for token in TOKEN.findall(pattern)))


def pattern_mutants(pattern):
    """What was done, and the pattern: without an anchor at its ends, with other bounds, with letters of both cases."""
    tokens = TOKEN.findall(pattern)
    if tokens[0] == "^":
        yield "without ^", "".join(tokens[1:])
    if tokens[-1] == "$":
        yield "without $", "".join(tokens[:-1])
    for index, token in enumerate(tokens):
        for other in token_mutants(token):
            yield f"{other or 'nothing'} for {token} ({index})", "".join((*tokens[:index], other, *tokens[index + 1 :]))


def token_mutants(token):
    if token == "*":
        yield "+"
    elif token == "+":
        yield "*"
    elif token == "?":
        yield ""
    elif token.startswith("[") and "a-f" in token and "A-F" not in token:
        yield token.replace("a-f", "a-fA-F")
    elif token.startswith("{") and "," in token:
        low, high = (int(bound) for bound in token[1:-1].split(","))
        for bounds in ((low - 1, high), (low + 1, high), (low, high - 1), (low, high + 1)):
            if 0 <= bounds[0] <= bounds[1]:
                yield "{%d,%d}" % bounds

"""Mutators of bytes, YAML and JSON for the fuzzers; each draws from a random number generator."""

import json
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

DIGITS = ["9" * 40, "9" * 41, "1" * 5000, str(2**31), str(2**63), str(2**64), "0" * 50]
NUMBERS = ["-1", "-0.0", "0", "1", "2", "1.5", "1e308", "1e999", "1e-320", "5e-324", ".5", "1.", "+3", "0x10", "010"]
YAML_VALUES = [
    *DIGITS,
    *NUMBERS,
    *("", "~", "null", "true", "no", ".nan", "-.inf", "1:30", "1_000", "0b1", "0o7", "[]", "{}", "[[[]]]", "{a: b}"),
    *("*a", "&a x", "&a [*a]", "!x", "!!python/object:os.system x", "!<%ff> a", "<<: *a", "? a", "- - -", "|", ">"),
    *("'", '"', '"\\UFFFFFFFF"', '"\\U00110000"', '"\\ud800"', '"\\e[2J\\x9b"', "\x1b[2J", "\x9b2J", "\u202e", "\x85"),
    *("%YAML 1.2", "%YAML " + "9" * 5000 + ".1\n---", "%TAG ! a\n---", "---", "...", "@", "`", "#", "\t", "\r", "\0"),
    *("spiral", "sine", "dense", "relu", "softmax", "sigmoid", "Layer_Dense", "adam", "mse", "float64", "nnfs"),
    *("{type: dense, units: 3}", "{fraction: 0.5}", "[accuracy, r2]", "{type: warmup, updates: 3, then: cosine}"),
    *("[" * 30, "[" * 3000, "{a: " * 30, "- " * 30, "x" * 3000, "𝟘é日", "e\u0301", "\ue000", "\ufeff"),
]
YAML_TOKENS = [*":,-[]{}#&*!|>'\"%@`?~\n ", "\n  ", "\n- ", ": ", *YAML_VALUES]
JSON_VALUES: list[Any] = [
    *(None, True, -1, 0, 1, 2, 1.5, -0.5, 1e308, 5e-324, 10**39, 10**41, 2**31, 2**63, float("nan"), float("-inf")),
    *("", "x", "\x1b[2J\x9b", "\ud800", "spiral", "<f4", "<f8", "|O", "values", "y" * 1000, [], {}, [[[]]], {"": 0}),
    *([0] * 100, json.loads("[" * 60 + "]" * 60), {"type": "dense", "units": 3}, {"fraction": 0.5}, ["accuracy"]),
]
RAW = {
    b"true": b"1e999",
    b"null": b"NaN",
    b"0": b"1e999",
    b"1": b"1" * 500,
    b'"': b"'",
    b",": b",,",
    b"[": b"[" * 3000,
}

Mutation = Callable[[Random, bytes], bytes]


def flip(random: Random, data: bytes) -> bytes:
    """Flip a bit."""
    at = random.randrange(len(data) or 1)
    return data[:at] + bytes(byte ^ 1 << random.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def replace(random: Random, data: bytes) -> bytes:
    """Replace a byte."""
    at = random.randrange(len(data) or 1)
    return data[:at] + random.randbytes(1) + data[at + 1 :]


def insert(random: Random, data: bytes) -> bytes:
    """Insert some bytes."""
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.choice((1, 2, 4, 8))) + data[at:]


def delete(random: Random, data: bytes) -> bytes:
    """Delete some bytes."""
    at, length = random.randrange(len(data) or 1), random.choice((1, 1, 2, 4, 8, 64))
    return data[:at] + data[at + length :]


def repeat(random: Random, data: bytes) -> bytes:
    """Copy some bytes to another position."""
    at, length, to = random.randrange(len(data) or 1), random.choice((1, 4, 16, 64)), random.randrange(len(data) + 1)
    return data[:to] + data[at : at + length] + data[to:]


def truncate(random: Random, data: bytes) -> bytes:
    """Delete the end."""
    return data[: random.randrange(len(data) or 1)]


def extend(random: Random, data: bytes) -> bytes:
    """Append some bytes."""
    return data + random.choice((b"\0", b"\n", data, random.randbytes(8)))


def clear(random: Random, data: bytes) -> bytes:
    """Replace some bytes by zeros, as after a power loss."""
    at, length = random.randrange(len(data) or 1), random.choice((1, 8, 64, 512))
    return data[:at] + bytes(len(data[at : at + length])) + data[at + length :]


BYTES: tuple[Mutation, ...] = (flip, replace, insert, delete, repeat, truncate, extend, clear)


def damaged(random: Random, data: bytes) -> bytes:
    """The bytes after one to three mutations."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(BYTES)(random, data)
    return data


def mutated_config(random: Random, configs: Sequence[str]) -> bytes:
    """A mutation of one config, or of two spliced ones."""
    text = random.choice(configs)
    for _ in range(random.choice((1, 1, 2, 3, 4))):
        text = random.choice(TEXTS)(random, text, configs)
    data = text.encode("utf-8", "surrogatepass")
    return damaged(random, data) if random.random() < 0.1 else data


def _token(random: Random, text: str, _: Sequence[str]) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(YAML_TOKENS) + text[at:]


def _value(random: Random, text: str, _: Sequence[str]) -> str:
    """Replace a value after a colon, a comma, or a dash."""
    items = list(re.finditer(r"(?<=[:,\[-] )[^,\]}\n]*", text)) or [re.match("", text)]
    found = random.choice(items)
    value = random.choice(YAML_VALUES) if random.random() < 0.8 else random.choice(items).group()
    return text[: found.start()] + value + text[found.end() :]


def _key(random: Random, text: str, configs: Sequence[str]) -> str:
    """Replace a key by one of another config, or by a misspelling."""
    keys = re.findall(r"\w+(?=:)", random.choice(configs)) or ["seed"]
    found = random.choice(list(re.finditer(r"\w+(?=:)", text)) or [re.match("", text)])
    key = random.choice((random.choice(keys), found.group()[:-1], f"{found.group()}s", f"&a {found.group()}"))
    return text[: found.start()] + key + text[found.end() :]


def _lines(random: Random, text: str, _: Sequence[str]) -> str:
    """Swap, delete, duplicate or indent a line."""
    lines = text.splitlines(keepends=True) or [""]
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            lines[at], lines[other] = lines[other], lines[at]
        case 1:
            del lines[at]
        case 2:
            lines.insert(other, lines[at])
        case _:
            lines[at] = random.choice((" ", "  ", "\t", "- ")) + lines[at] if other % 2 else lines[at].lstrip(" ")
    return "".join(lines)


def _splice(random: Random, text: str, configs: Sequence[str]) -> str:
    """The first lines of one config and the last ones of another."""
    ours, theirs = text.splitlines(keepends=True), random.choice(configs).splitlines(keepends=True)
    return "".join(ours[: random.randrange(len(ours) + 1)] + theirs[random.randrange(len(theirs) + 1) :])


def _nested(random: Random, text: str, _: Sequence[str]) -> str:
    """Nest some text in many brackets."""
    at, until = sorted(random.randrange(len(text) + 1) for _ in range(2))
    depth = random.choice((1, 2, 19, 20, 21, 22, 500, 3000))
    opening, closing = random.choice((("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")))
    return text[:at] + opening * depth + text[at:until] + closing * depth + text[until:]


def _aliases(random: Random, text: str, _: Sequence[str]) -> str:
    """Replace a value by an alias of another one."""
    items = [match.end() for match in re.finditer(r"[:,\[-] ", text)]
    if len(items) < 2:
        return text
    at, until = sorted(random.sample(items, 2))
    rest = text[until:]
    return text[:at] + "&a " + text[at:until] + "*a" + (rest[len(re.match(r"[^,\]}\n]*", rest).group()) :])


TEXTS = (_token, _value, _value, _value, _key, _lines, _splice, _nested, _aliases)


def mutated_json(random: Random, data: bytes) -> bytes:
    """A JSON text with values replaced, removed or moved; sometimes invalid JSON."""
    document = json.loads(data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        _change(random, document)
    written = json.dumps(document, indent=random.choice((2, None))).encode()
    if random.random() < 0.15:
        right, problems = random.choice(list(RAW.items()))
        items = [found.start() for found in re.finditer(re.escape(right), written)] or [0]
        at = random.choice(items)
        written = written[:at] + problems + written[at + len(right) :]
    if random.random() < 0.05:  # a duplicate key
        written = re.sub(rb'("\w+": )', rb"\g<1>1, \g<1>", written, count=1)
    return written


def _change(random: Random, document: Any) -> None:
    """Change one value in place, or its container."""
    items = list(_items(document))
    if not items:
        return
    container, key = random.choice(items)
    match random.randrange(8):
        case 0:
            del container[key]
        case 1 if isinstance(container, dict):
            container[random.choice(("", "x", "\x1b[2J", f"{key}s", "type", "__class__"))] = container.pop(key)
        case 2:
            other, step = random.choice(items)
            container[key] = deepcopy(other[step])
        case 3 if isinstance(container, list):
            container.append(deepcopy(container[key]))
        case 4 if isinstance(container[key], int | float):
            container[key] += random.choice((-1, 1, 0.5, 10**6))
        case _:
            container[key] = deepcopy(random.choice(JSON_VALUES))


def _items(value: Any) -> Any:
    """Every list or mapping with each of its keys."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield value, key
        yield from _items(each)

"""Ways to damage bytes, YAML and JSON; each takes random numbers, and as a rule gives something else than it got."""

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
    """One bit is another."""
    at = random.randrange(len(data) or 1)
    return data[:at] + bytes(byte ^ 1 << random.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def put(random: Random, data: bytes) -> bytes:
    """One byte is any other."""
    at = random.randrange(len(data) or 1)
    return data[:at] + random.randbytes(1) + data[at + 1 :]


def insert(random: Random, data: bytes) -> bytes:
    """Some bytes stand between two others."""
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.choice((1, 2, 4, 8))) + data[at:]


def delete(random: Random, data: bytes) -> bytes:
    """A stretch is missing."""
    at, length = random.randrange(len(data) or 1), random.choice((1, 1, 2, 4, 8, 64))
    return data[:at] + data[at + length :]


def repeat(random: Random, data: bytes) -> bytes:
    """A stretch stands twice, the second time elsewhere."""
    at, length, to = random.randrange(len(data) or 1), random.choice((1, 4, 16, 64)), random.randrange(len(data) + 1)
    return data[:to] + data[at : at + length] + data[to:]


def cut(random: Random, data: bytes) -> bytes:
    """The end is missing."""
    return data[: random.randrange(len(data) or 1)]


def extend(random: Random, data: bytes) -> bytes:
    """Something follows behind the end."""
    return data + random.choice((b"\0", b"\n", data, random.randbytes(8)))


def clear(random: Random, data: bytes) -> bytes:
    """A stretch is zeros, as after a power cut."""
    at, length = random.randrange(len(data) or 1), random.choice((1, 8, 64, 512))
    return data[:at] + bytes(len(data[at : at + length])) + data[at + length :]


BYTES: tuple[Mutation, ...] = (flip, put, insert, delete, repeat, cut, extend, clear)


def damaged(random: Random, data: bytes) -> bytes:
    """The bytes after one to three damages."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(BYTES)(random, data)
    return data


def other_spec(random: Random, specs: Sequence[str]) -> bytes:
    """A spec out of one or two of these, after one to four changes, some of them of its bytes."""
    text = random.choice(specs)
    for _ in range(random.choice((1, 1, 2, 3, 4))):
        text = random.choice(TEXTS)(random, text, specs)
    data = text.encode("utf-8", "surrogatepass")
    return damaged(random, data) if random.random() < 0.1 else data


def _token(random: Random, text: str, _: Sequence[str]) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(YAML_TOKENS) + text[at:]


def _value(random: Random, text: str, _: Sequence[str]) -> str:
    """Another value behind a colon, a comma, or the sign of an item."""
    places = list(re.finditer(r"(?<=[:,\[-] )[^,\]}\n]*", text)) or [re.match("", text)]
    found = random.choice(places)
    value = random.choice(YAML_VALUES) if random.random() < 0.8 else random.choice(places).group()
    return text[: found.start()] + value + text[found.end() :]


def _key(random: Random, text: str, specs: Sequence[str]) -> str:
    """A key that another spec has, or a slip in one."""
    keys = re.findall(r"\w+(?=:)", random.choice(specs)) or ["seed"]
    found = random.choice(list(re.finditer(r"\w+(?=:)", text)) or [re.match("", text)])
    key = random.choice((random.choice(keys), found.group()[:-1], f"{found.group()}s", f"&a {found.group()}"))
    return text[: found.start()] + key + text[found.end() :]


def _lines(random: Random, text: str, _: Sequence[str]) -> str:
    """A line is exchanged with another, is missing, stands twice, or is indented otherwise."""
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


def _splice(random: Random, text: str, specs: Sequence[str]) -> str:
    """The first lines of one spec and the last ones of another."""
    ours, theirs = text.splitlines(keepends=True), random.choice(specs).splitlines(keepends=True)
    return "".join(ours[: random.randrange(len(ours) + 1)] + theirs[random.randrange(len(theirs) + 1) :])


def _nested(random: Random, text: str, _: Sequence[str]) -> str:
    """A part within many brackets."""
    at, until = sorted(random.randrange(len(text) + 1) for _ in range(2))
    depth = random.choice((1, 2, 19, 20, 21, 22, 500, 3000))
    opening, closing = random.choice((("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")))
    return text[:at] + opening * depth + text[at:until] + closing * depth + text[until:]


def _aliases(random: Random, text: str, _: Sequence[str]) -> str:
    """A value is an alias of another."""
    places = [match.end() for match in re.finditer(r"[:,\[-] ", text)]
    if len(places) < 2:
        return text
    at, until = sorted(random.sample(places, 2))
    rest = text[until:]
    return text[:at] + "&a " + text[at:until] + "*a" + (rest[len(re.match(r"[^,\]}\n]*", rest).group()) :])


TEXTS = (_token, _value, _value, _value, _key, _lines, _splice, _nested, _aliases)


def other_json(random: Random, data: bytes) -> bytes:
    """A JSON text in which some values are others, are missing, or stand elsewhere; at times it is no JSON any more."""
    document = json.loads(data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        _change(random, document)
    written = json.dumps(document, indent=random.choice((2, None))).encode()
    if random.random() < 0.15:
        right, wrong = random.choice(list(RAW.items()))
        places = [found.start() for found in re.finditer(re.escape(right), written)] or [0]
        at = random.choice(places)
        written = written[:at] + wrong + written[at + len(right) :]
    if random.random() < 0.05:  # a key that stands twice
        written = re.sub(rb'("\w+": )', rb"\g<1>1, \g<1>", written, count=1)
    return written


def _change(random: Random, document: Any) -> None:
    """Change one value in place, or what holds it."""
    places = list(_places(document))
    if not places:
        return
    holder, key = random.choice(places)
    match random.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[random.choice(("", "x", "\x1b[2J", f"{key}s", "type", "__class__"))] = holder.pop(key)
        case 2:
            other, step = random.choice(places)
            holder[key] = deepcopy(other[step])
        case 3 if isinstance(holder, list):
            holder.append(deepcopy(holder[key]))
        case 4 if isinstance(holder[key], int | float):
            holder[key] += random.choice((-1, 1, 0.5, 10**6))
        case _:
            holder[key] = deepcopy(random.choice(JSON_VALUES))


def _places(value: Any) -> Any:
    """Every list or mapping with each of its keys."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield value, key
        yield from _places(each)

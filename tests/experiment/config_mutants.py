"""Mutants of the example configs: each with one or two mistakes, or other values that are right.

A mutant is a config as a plain mapping. The mistakes are those of one key: a wrong or missing key, type, value or name.
"""

import random
from copy import deepcopy

from nncli.config.model import Config
from nncli.experiment.loading import parse
from nncli.experiment.metric_columns import known_columns
from nncli.registry import components, kinds, names
from tests.conftest import CONFIGS

SCALARS = (None, True, False, 0, 1, -1, 2, 3, 64, 2**32 - 1, 2**32, 0.0, 1.0, 0.5, 0.999, 1.5, -0.5, 1e-7, 1e300)
TEXTS = ("", "x", "5", "0.5", "none", "true", "relu ", "\n")
CONTAINERS = ([], {}, [1], [None], ["relu"], {"type": None}, {"type": 3}, {"type": []}, {"fraction": 0.2}, {"x": 1})
SECTIONS = {"dataset": ("data", "validation", "test"), "layer": ("layers",), "metric": ("metrics",)}
SECTION_KEYS = ("epochs", "batch_size", "patience", "metric", "fraction", "lr", "x-common")
BOOK_KEYS = {"units": "n_neurons", "l1": "weight_regularizer_l1", "bias_l2": "bias_regularizer_l2"}


def configs():
    """The example configs as mappings."""
    return [parse(file.name, file.read_bytes()).root.plain() for file in CONFIGS]


class Mutator:
    """Makes mutants from a seed; ``mutant`` returns the next one."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.originals = configs()
        self.words = [name for kind in kinds() for name in names(kind)] + [each.header for each in known_columns()]
        parameters = {each.name for kind in kinds() for entry in components(kind) for each in entry.parameters}
        self.keys = sorted({*Config.model_fields, *parameters, *SECTION_KEYS})
        self.mutations = (self.replace, self.vary, self.remove, self.rename, self.add, self.retype, self.respell)
        self.mutations += (self.retype, self.retype, self.vary, self.reshape)

    def mutant(self):
        """A config with one or two changes."""
        config = deepcopy(self.random.choice(self.originals))
        for _ in range(self.random.choice((1, 1, 1, 2))):
            self.random.choice(self.mutations)(config)
        return config

    def replace(self, config):
        """Any other value anywhere."""
        parent, key = self._place(config)
        parent[key] = self._value()

    def vary(self, config):
        """Another number, in range or not, or the same one as a float or as text."""
        numbers = [(parent, key) for parent, key in _places(config) if type(parent[key]) in {int, float}]
        if numbers:
            parent, key = self.random.choice(numbers)
            old = parent[key]
            parent[key] = self.random.choice(
                (old * 2, old * 2, old + 1, old * 1000, old / 1000, -old, float(old), str(old))
            )

    def remove(self, config):
        """A key or an item less."""
        parent, key = self._place(config)
        del parent[key]

    def rename(self, config):
        """A key misspelt, or that of another place."""
        parent, key = self._place(config, dict)
        new = (self._misspelt(key), self.random.choice(self.keys), BOOK_KEYS.get(key, key))
        parent[self.random.choice(new)] = parent.pop(key)

    def add(self, config):
        """A key or an item more."""
        parent, key = self._place(config)
        if isinstance(parent, list):
            parent.insert(key, self._component("layer"))
        else:
            parent[self.random.choice(self.keys)] = self._value()

    def retype(self, config):
        """Another component, with keys of which most are right."""
        kind = self.random.choice([kind for kind in kinds() if kind != "initializer"])
        section, component = self.random.choice(SECTIONS.get(kind, (kind,))), self._component(kind)
        if kind == "metric":
            config[section] = [component]
        elif kind != "layer":
            config[section] = component
        elif isinstance(config.get(section), list):
            config[section].insert(self.random.randrange(len(config[section]) + 1), component)

    def respell(self, config):
        """The name of a component in another spelling: its alias, with capitals, misspelt, or of another kind."""
        places = [(parent, key) for parent, key in _places(config) if _name(parent[key])]
        if places:
            parent, key = self.random.choice(places)
            old = _name(parent[key])
            entries = [names(kind)[old] for kind in kinds() if old in names(kind)]
            right = [name for entry in entries for name in (entry.alias, *names(entry.kind)) if name]
            parent[key] = self.random.choice(
                (*right, old.upper(), old.title(), old.replace("_", "-"), self._misspelt(old), *self.words[:3])
            )

    def reshape(self, config):
        """A name as a mapping, a mapping as a name, a value in a list, or without its list."""
        parent, key = self._place(config)
        old = parent[key]
        shapes = [[old], {"type": old}, {"type": old}, {str(key): old}]
        if isinstance(old, str):
            shapes += [{old: 16}, {old: None}]
        if isinstance(old, dict) and "type" in old and isinstance(old["type"], str):
            keys = {key: value for key, value in old.items() if key != "type"}
            shapes += [{old["type"]: keys}, {old["type"]: keys}, {old["type"]: next(iter(keys.values()), None)}]
        if isinstance(old, dict) and "fraction" in old:
            shapes += [old["fraction"]] * 3
        if isinstance(old, dict) and "type" in old:
            shapes += [old["type"]] * 3
        if isinstance(old, list) and old:
            shapes += [old[0], old * 2, old[:-1]]
        parent[key] = self.random.choice(shapes)

    def _component(self, kind):
        """A component with some of its keys, most of them right."""
        entry = self.random.choice(list(names(kind).values()))
        name = self.random.choice((entry.name, entry.name, entry.alias or entry.name))
        chosen = [each for each in entry.parameters if self.random.random() < (0.95 if each.default is ... else 0.4)]
        keys = {each.name: self._value_of(each) for each in chosen}
        if self.random.random() < 0.1:
            keys[self.random.choice(self.keys)] = self._value()
        return {"type": name, **keys} if keys or self.random.random() < 0.5 else name

    def _value_of(self, parameter):
        """A value of a parameter, which is right in most cases."""
        text = str(parameter.annotation).lower()
        kind = next((kind for kind in kinds() if f".{kind}" in text), None)
        if kind:
            return self._component(kind)
        if self.random.random() < 0.15:
            return self._value()
        return self.random.choice((2, 3, 100) if "int" in text else (0.1, 0.5, 0.01))

    def _value(self):
        """Any value."""
        named = ({"type": self.random.choice(self.words)},)
        return deepcopy(
            self.random.choice(self.random.choice((SCALARS, SCALARS, TEXTS, CONTAINERS, self.words, named)))
        )

    def _misspelt(self, word):
        at = self.random.randrange(len(word) + 1)
        return self.random.choice(
            (word[:at] + word[at + 1 :], f"{word[:at]}x{word[at:]}", f"{word}_", word.capitalize())
        )

    def _place(self, config, of=(dict, list)):
        """A container of a config, and one of its keys."""
        return self.random.choice([(parent, key) for parent, key in _places(config) if isinstance(parent, of)])


def _name(value):
    """The value, if it is the name of a component."""
    return value if isinstance(value, str) and any(value in names(kind) for kind in kinds()) else None


def _places(value):
    """Every container in a config with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)

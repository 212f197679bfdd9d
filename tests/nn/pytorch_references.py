"""Results of PyTorch for the components in float64, written to ``pytorch_references.json``.

    python -m tests.nn.pytorch_references

needs PyTorch and nothing of nncli; the tests read the file and need no PyTorch. Inputs are simple numbers, so that the
same release of PyTorch on the same processor writes the same bytes.

Layers and losses are in ``pytorch_passes.py``, optimizers, schedules and clipping here. Momentum with a changing
learning rate is not compared: the rate is inside the velocity here, and outside in PyTorch.
"""

import json
import sys
from itertools import product
from pathlib import Path

from tests.nn import pytorch_passes
from tests.nn.pytorch_passes import case, torch

if torch:
    from torch.optim import lr_scheduler as schedulers

FILE = Path(__file__).with_suffix(".json")
ABOUT = "Results of PyTorch in float64; written by python -m tests.nn.pytorch_references."
RATES, STEPS, UPDATES = (1e-8, 0.01, 1.0, 1e4), (1, 10, 100), 40


# optimizers: parameters in rows, the gradients of a row having one magnitude


def walk():
    """Initial parameters, and their gradients in each step, with both signs and zeros."""
    sizes = {
        "ordinary": lambda _: 1,
        "tiny": lambda _: 1e-6,
        "huge": lambda _: 1e3,
        "of all sizes": lambda t: 10.0 ** (t % 7 - 3),
        "ceasing": lambda t: 1 if t < 5 else 0,
        "none": lambda _: 0,
        "far from 0": lambda _: 1,
    }
    base = [[((5 * t + 3 * column) % 11 - 3) / 4 for column in range(3)] for t in range(max(STEPS))]
    gradients = [[[size(t) * g for g in row] for size in sizes.values()] for t, row in enumerate(base)]
    start = [[0.5, -1.25, 2.0] if row in {"none", "far from 0"} else [0.0, 0.0, 0.0] for row in sizes]
    return {"rows": list(sizes), "start": start, "gradients": gradients}


def optimizers():
    """Name, class and settings in PyTorch, and ``decay`` if PyTorch needs a schedule for it."""
    slow, quick = {"betas": (0.9, 0.999), "eps": 1e-7}, {"betas": (0.8, 0.95), "eps": 1e-3}
    constant = {"momentum_decay": 1e6}  # 0.96 to the power of a million is 0: β₁ is the same at every step
    return [
        ("sgd", torch.optim.SGD, {"momentum": 0.0}, 0.0),
        ("sgd", torch.optim.SGD, {"momentum": 0.0}, 0.01),
        ("sgd", torch.optim.SGD, {"momentum": 0.9}, 0.0),
        ("nesterov", torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, 0.0),
        ("adagrad", torch.optim.Adagrad, {"eps": 1e-7}, 0.0),
        ("adagrad", torch.optim.Adagrad, {"eps": 1e-3, "lr_decay": 0.01}, 0.0),
        ("rmsprop", torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-7}, 0.0),
        ("rmsprop", torch.optim.RMSprop, {"alpha": 0.99, "eps": 1e-3}, 0.01),
        ("adam", torch.optim.Adam, slow, 0.0),
        ("adam", torch.optim.Adam, quick, 0.01),
        ("adamw", torch.optim.AdamW, {**slow, "weight_decay": 0.01}, 0.0),
        ("adamw", torch.optim.AdamW, {**quick, "weight_decay": 0.001}, 0.01),
        ("nadam", torch.optim.NAdam, {**slow, **constant}, 0.0),
        ("nadam", torch.optim.NAdam, {**quick, **constant}, 0.01),
    ]


def optimizer_cases(start, gradients):
    """Every optimizer with every learning rate: the parameters after 1, 10 and 100 steps."""
    for (name, kind, settings, decay), rate in product(optimizers(), RATES):
        values = torch.nn.Parameter(torch.tensor(start))
        optimizer = kind([values], lr=rate, **settings)
        schedule = schedulers.LambdaLR(optimizer, lambda t, decay=decay: 1 / (1 + decay * t))
        reached = {}
        for step, gradient in enumerate(gradients, start=1):
            values.grad = torch.tensor(gradient)
            optimizer.step()
            schedule.step()
            reached |= {str(step): values.tolist()} if step in STEPS else {}
        arguments = {"learning_rate": rate, "decay": decay, **renamed(settings)}
        yield case("optimizer", name, variant_of(arguments), {}, reached, arguments=arguments)


def renamed(settings):
    """The settings of PyTorch under the names of nncli."""
    names = {"eps": "epsilon", "alpha": "rho", "lr_decay": "decay"}
    kept = {names.get(key, key): value for key, value in settings.items() if key not in {"nesterov", "momentum_decay"}}
    beta_1, beta_2 = kept.pop("betas", (None, None))
    return kept | ({"beta_1": beta_1, "beta_2": beta_2} if beta_1 else {})


# learning rates and clippings


def schedule_cases():
    """The learning rates of the first updates, starting at 1."""
    end, cosine, step = {"updates": 12, "lowest": 0.2}, {"updates": 35, "lowest": 0.0}, {"every": 7, "gamma": 0.1}
    made = [
        ("step", {"every": 4, "gamma": 0.5}, lambda o: schedulers.StepLR(o, 4, 0.5)),
        ("exponential", {"gamma": 0.9}, lambda o: schedulers.ExponentialLR(o, 0.9)),
        ("cosine", {"updates": 39, "lowest": 0.0}, lambda o: schedulers.CosineAnnealingLR(o, 39)),
        ("cosine", end, ended),
        ("warmup", {"updates": 5}, rising),
        ("warmup", {"updates": 5, "then": {"type": "cosine", **cosine}}, lambda o: warm(o, falling(o, **cosine))),
        ("warmup", {"updates": 5, "then": {"type": "step", **step}}, lambda o: warm(o, schedulers.StepLR(o, 7, 0.1))),
    ]
    for name, arguments, make in made:
        yield case("schedule", name, variant_of(arguments), {}, {"factors": rates(1.0, make)}, arguments=arguments)


def rising(optimizer):
    """1/5, 2/5, …, 1."""
    return schedulers.LinearLR(optimizer, 1 / 5, 1.0, total_iters=4)


def warm(optimizer, then):
    """Five updates of warm-up, then another schedule from its start."""
    return schedulers.SequentialLR(optimizer, [rising(optimizer), then], [5])


def falling(optimizer, updates, lowest):
    """Half a period of a cosine."""
    return schedulers.CosineAnnealingLR(optimizer, updates, lowest)


def ended(optimizer):
    """Half a period of twelve updates, then constant; the cosine of PyTorch alone would rise again."""
    parts = [falling(optimizer, 12, 0.2), schedulers.ConstantLR(optimizer, 0.2, 2 * UPDATES)]
    return schedulers.SequentialLR(optimizer, parts, [12])


def decay_cases():
    """Inverse time decay, a LambdaLR in PyTorch."""
    for start, decay in ((1.0, 1e-3), (0.05, 0.5)):
        reached = rates(start, lambda o, decay=decay: schedulers.LambdaLR(o, lambda t: 1 / (1 + decay * t)))
        given = {"learning_rate": start, "decay": decay}
        yield case("decay", "inverse_time", variant_of(given), given, {"rates": reached})


def rates(start, make):
    """The learning rate at each of the first updates."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=start)
    schedule, found = make(optimizer), []
    for _ in range(UPDATES):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return found


def clipping_cases():
    """By value the function of PyTorch; by norm the formula, since the function of PyTorch adds 1e-6 to the norm."""
    for size in (1e-3, 1.0, 1e3):
        gradients = [size * g for g in (0.5, -1.25, 2.0, 0.0, -0.75)]
        leaf = torch.nn.Parameter(torch.zeros(5))
        leaf.grad = torch.tensor(gradients)
        torch.nn.utils.clip_grad_value_([leaf], 0.8)
        norm = torch.linalg.vector_norm(torch.tensor(gradients))
        shortened = torch.tensor(gradients) * torch.clamp(2.0 / norm, max=1.0)
        for name, limit, clipped in (("value", 0.8, leaf.grad), ("norm", 2.0, shortened)):
            given = {"gradients": gradients}
            yield case("clipping", name, f"size={size}", given, {"gradients": clipped}, arguments={"limit": limit})


# the file


def variant_of(arguments):
    """A name of the case among those of one component."""
    return " ".join(f"{key}={value}" for key, value in arguments.items() if not isinstance(value, dict))


def references():
    """The content of the file."""
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    walked = walk()
    cases = [*pytorch_passes.cases(), *optimizer_cases(walked["start"], walked["gradients"])]
    cases += [*schedule_cases(), *decay_cases(), *clipping_cases()]
    cases.sort(key=lambda one: (one["kind"], one["name"], one["variant"]))
    return {"about": ABOUT, "torch": torch.__version__.partition("+")[0], "walk": walked, "cases": cases}


def written(value):
    """JSON in which a value that fits a line is on one line; floats are read back bit for bit."""
    line = json.dumps(value, allow_nan=False, sort_keys=True)
    if len(line) <= 120:
        return line
    if isinstance(value, dict):
        entries = (f"{json.dumps(key)}: {written(part)}" for key, part in sorted(value.items()))
        return "{\n" + ",\n".join(entries) + "\n}"
    return "[\n" + ",\n".join(map(written, value)) + "\n]" if isinstance(value, list) else line


if __name__ == "__main__":
    if not torch:
        sys.exit("this script needs PyTorch: pip install torch; the tests themselves do not")
    FILE.write_text(written(references()) + "\n", encoding="utf-8")

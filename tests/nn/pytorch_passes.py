"""Results of PyTorch for one forward and backward pass of a layer or a loss, by autograd.

Intended differences are not compared:

- at w = 0 the gradient of an L1 penalty is +λ here and 0 in PyTorch;
- the gradient ignores the clipping of probabilities here and is 0 in PyTorch; for these only the loss is compared.
"""

from functools import partial
from itertools import count, product

try:
    import torch
    from torch.nn import functional
except ModuleNotFoundError:  # pytest imports every module in search of doctests
    torch = None

INPUTS = {
    "ordinary": [[-3.0, -1.25, -0.5, 0.0], [0.125, 0.75, 1.5, 4.0], [-0.25, 2.25, -2.0, 0.375]],
    "tiny": [[-3e-8, -1.25e-8, -5e-9, 0.0], [1e-9, 7.5e-9, 1.5e-8, 4e-8]],
    "extreme": [[-1000.0, -40.0, -6.5, 0.0], [1000.0, 40.0, 6.5, -9.0]],
}
GRAD = [[0.5, -1.25, 2.0, 0.75], [-0.25, 1.0, 0.125, -1.5], [3.0, 0.25, -0.5, 0.875]]
KEPT = [[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]]
BATCH = [[0.5, -2.0, 10.0], [1.5, 0.25, 11.0], [-0.75, 4.0, 10.5]]
PROBABILITIES = [[0.7, 0.2, 0.1], [0.25, 0.5, 0.25], [0.01, 0.04, 0.95], [1e-6, 0.3, 0.699999]]
ENDS = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1e-8, 1.0], [0.5, 0.0, 0.5]]
CLASSES = [0, 1, 2, 0]
ANSWERS = [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
NUMBERS = [[0.5, -1.25, 30.0], [2.0, 0.0, -0.125], [-3.5, 1e-3, 4.0]]
AIMS = [[0.25, -1.25, 31.0], [2.5, 1.0, -0.25], [-4.0, 2e-3, 4.0]]  # twice the number itself


def tensor(numbers):
    """A leaf tensor that requires a gradient."""
    return torch.tensor(numbers, requires_grad=True)


def case(kind, name, variant, given, expected, **more):
    """One entry of the file; tensors become lists."""
    lists = {label: found.detach().tolist() if torch.is_tensor(found) else found for label, found in expected.items()}
    return {"kind": kind, "name": name, "variant": variant, "given": given, "expected": lists, **more}


# layers: outputs, and the gradients by autograd for a given gradient of the outputs


def activations():
    """Name, arguments, and function of PyTorch."""
    return [
        ("relu", {}, functional.relu),
        ("leaky_relu", {"slope": 0.01}, functional.leaky_relu),
        ("leaky_relu", {"slope": 0.3}, partial(functional.leaky_relu, negative_slope=0.3)),
        ("elu", {"alpha": 1.0}, functional.elu),
        ("elu", {"alpha": 0.7}, partial(functional.elu, alpha=0.7)),
        ("gelu", {"approximate": "none"}, functional.gelu),
        ("gelu", {"approximate": "tanh"}, partial(functional.gelu, approximate="tanh")),
        ("sigmoid", {}, functional.sigmoid),
        ("tanh", {}, functional.tanh),
        ("linear", {}, torch.nn.Identity()),
        ("softmax", {}, partial(functional.softmax, dim=1)),
    ]


def activation_cases():
    """Every activation on ordinary, tiny and extreme inputs."""
    for (name, arguments, function), (variant, inputs) in product(activations(), INPUTS.items()):
        label = " ".join([variant, *map(str, arguments.values())])
        given = {"inputs": inputs, "grad": GRAD[: len(inputs)]}
        yield layer_case(name, label, function, given, **arguments)


def gelu_case():
    """Derivatives at closely spaced points, since nncli implements the error function itself."""
    given = {"inputs": [[number / 4 for number in range(-25, 26)]], "grad": [[1.0] * 51]}
    return layer_case("gelu", "in small steps", functional.gelu, given, approximate="none")


def dense_case():
    """Three inputs and four units; the weights of PyTorch are transposed."""
    weights = [[0.5, -1.0, 0.25, 2.0], [1.5, 0.125, -0.75, 0.0], [-0.3, 0.2, 0.1, -0.7]]
    given = {"inputs": BATCH, "grad": GRAD, "weights": weights, "biases": [0.1, -0.2, 0.0, 3.0]}
    return layer_case("dense", "ordinary", lambda x, w, b: functional.linear(x, w.T, b), given, units=4)


def normalization_cases():
    """Both modes, with the running statistics after the pass; the momentum of PyTorch is 1 − ρ.

    Two rows have a large ε: with a small one, their gradient would be only rounding error.
    """
    learned = {"scale": [1.0, -0.5, 2.0], "shift": [0.0, 0.25, -1.5]}
    measured = {"running_mean": [0.5, -1.0, 8.0], "running_variance": [1.0, 0.25, 4.0]}
    for (rows, rho, epsilon), training in product(((3, 0.9, 1e-5), (3, 0.6, 0.1), (2, 0.6, 0.1)), (True, False)):
        given = {"inputs": BATCH[:rows], "grad": [row[:3] for row in GRAD[:rows]], **learned, **measured}
        settings = {"training": training, "momentum": 1 - rho, "eps": epsilon}

        def normalize(inputs, scale, shift, mean, variance, settings=settings):
            return functional.batch_norm(inputs, mean, variance, scale, shift, **settings)

        label = f"{rows} rows {'training' if training else 'evaluation'} {rho} {epsilon}"
        ours = {"training": training, "momentum": rho, "epsilon": epsilon}
        yield layer_case("batch_normalization", label, normalize, given, tuple(measured), **ours)


def dropout_cases():
    """In training, with the mask of the case; at inference nothing is drawn."""
    given = {"inputs": [[x or 1.0 for x in row] for row in INPUTS["ordinary"]], "grad": GRAD}
    yield {**layer_case("dropout", "training", dropped, given, rate=0.4), "kept": KEPT}
    still = partial(functional.dropout, p=0.4, training=False)
    yield layer_case("dropout", "evaluation", still, given, training=False, rate=0.4)


def dropped(inputs):
    """Dropout of PyTorch, with the first seed that draws the mask of the case."""
    for seed in count():
        torch.manual_seed(seed)
        outputs = functional.dropout(inputs, 0.4)
        if torch.equal(outputs != 0, torch.tensor(KEPT) != 0):
            return outputs
    return None


def layer_case(name, variant, function, given, statistics=(), training=True, **arguments):
    """Outputs and gradients of ``function``, called with all that is given but the gradient of the outputs."""
    called = {key: torch.tensor(value, requires_grad=key not in statistics) for key, value in given.items()}
    grad = called.pop("grad")
    outputs = function(*called.values())
    outputs.backward(grad)
    after = {key if key in statistics else f"d_{key}": called[key] for key in called}
    found = {key: value if value.grad is None else value.grad for key, value in after.items()}
    return case("layer", name, variant, given, {"outputs": outputs, **found}, arguments=arguments, training=training)


# losses, alone and through the last layer, and penalties


def loss_cases():
    """Losses of the rows, their mean and its gradient; of clipped probabilities the loss alone."""
    chosen = ("categorical_crossentropy", lambda p, t, **how: functional.nll_loss(torch.log(p), t, **how))
    answered = ("binary_crossentropy", functional.binary_cross_entropy)
    yield loss_case(*chosen, "ordinary", PROBABILITIES, CLASSES)
    yield loss_case(*answered, "three outputs", PROBABILITIES, ANSWERS)
    yield loss_case(*answered, "one output", [row[:1] for row in PROBABILITIES], [row[:1] for row in ANSWERS])
    yield loss_case("mean_squared_error", functional.mse_loss, "ordinary", NUMBERS, AIMS)
    yield loss_case("mean_absolute_error", functional.l1_loss, "ordinary", NUMBERS, AIMS)
    for (name, function), targets in ((chosen, CLASSES), (answered, ANSWERS)):
        held = partial(clamped, function)
        yield loss_case(name, held, "at the ends", ENDS, targets, slope=False)


def clamped(function, probabilities, targets, **how):
    """A loss of probabilities clipped to [1e-7, 1 − 1e-7]."""
    return function(torch.clamp(probabilities, 1e-7, 1 - 1e-7), targets, **how)


def loss_case(name, function, variant, outputs, targets, slope=True):
    """The result of a loss of PyTorch; the loss of a row is the mean of its entries."""
    leaf, aims = tensor(outputs), torch.tensor(targets)
    losses, mean = (function(leaf, aims, reduction=how) for how in ("none", "mean"))
    mean.backward()
    expected = {"losses": losses if losses.ndim == 1 else losses.mean(1), "mean": mean}
    expected |= {"d_outputs": leaf.grad} if slope else {}
    return case("loss", name, variant, {"outputs": outputs, "targets": targets}, expected)


def fused_cases():
    """The gradient of a loss with respect to the inputs of the last layer."""
    answers = [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0]]
    pairs = [
        ("softmax", "categorical_crossentropy", functional.cross_entropy, [0, 3, 1]),
        ("sigmoid", "binary_crossentropy", functional.binary_cross_entropy_with_logits, answers),
    ]
    for (last, loss, function, targets), (variant, logits) in product(pairs, INPUTS.items()):
        leaf, given = tensor(logits), {"logits": logits, "targets": targets[: len(logits)]}
        function(leaf, torch.tensor(given["targets"])).backward()
        yield case("fused", f"{last} + {loss}", variant, given, {"d_logits": leaf.grad}, last=last, loss=loss)


def penalty_cases():
    """The penalty of an array without zeros, and its gradient."""
    for name, l1, l2 in (("l1", 0.3, 0.0), ("l2", 0.0, 0.2), ("l1 + l2", 1e-3, 5e-4)):
        leaf = tensor(GRAD)
        price = l1 * torch.linalg.vector_norm(leaf, 1) + l2 * torch.sum(leaf**2)
        price.backward()
        expected = {"price": price, "gradient": leaf.grad}
        yield case("penalty", name, f"{l1} {l2}", {"values": GRAD, "l1": l1, "l2": l2}, expected)


def cases():
    """Every case of one pass."""
    yield from activation_cases()
    yield gelu_case()
    yield dense_case()
    yield from normalization_cases()
    yield from dropout_cases()
    yield from loss_cases()
    yield from fused_cases()
    yield from penalty_cases()

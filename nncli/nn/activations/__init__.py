"""Activation functions: nonlinearities that are applied to each value, or to each row."""

from nncli.nn.activations.linear import Linear
from nncli.nn.activations.rectifiers import ELU, GELU, LeakyReLU, ReLU
from nncli.nn.activations.sigmoids import Sigmoid, Tanh
from nncli.nn.activations.softmax import Softmax

__all__ = ["ELU", "GELU", "LeakyReLU", "Linear", "ReLU", "Sigmoid", "Softmax", "Tanh"]

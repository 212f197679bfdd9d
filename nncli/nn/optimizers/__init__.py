"""Optimizers; importing this package registers them."""

from nncli.nn.optimizers.adagrad import AdaGrad
from nncli.nn.optimizers.adam import Adam
from nncli.nn.optimizers.adamw import AdamW
from nncli.nn.optimizers.nadam import Nadam
from nncli.nn.optimizers.nesterov import Nesterov
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.optimizers.rmsprop import RMSprop
from nncli.nn.optimizers.sgd import SGD

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Nadam", "Nesterov", "Optimizer", "RMSprop"]

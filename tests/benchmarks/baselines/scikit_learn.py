"""scikit-learn's MLPClassifier, one step per iteration of ``fit``.

It differs: ε is added to √v before the correction of v, which makes it up to 32 times as large in the first steps; Adam
starts anew at every ``fit``; its learning rate does not decay.
"""

import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

from tests.benchmarks.standalone_programs import train_at_once
from tests.benchmarks.workloads import BETA_1, BETA_2, EPSILON


def classifier_of(workload, **settings):
    """A classifier without penalty, with the work's Adam; settings are further arguments."""
    warnings.simplefilter("ignore")  # each fit ends before it has converged
    return MLPClassifier(
        workload.widths[1:-1],
        alpha=0.0,
        learning_rate_init=workload.learning_rate,
        beta_1=BETA_1,
        beta_2=BETA_2,
        epsilon=EPSILON,
        **settings,
    )


def set_parameters(classifier, workload):
    """Set the work's weights; biases become 0."""
    classifier.coefs_ = [weights.copy() for weights in workload.weights]
    for biases in classifier.intercepts_:
        biases[...] = 0


def prepare(workload, threads):
    stopping = {"tol": 0.0, "n_iter_no_change": 10**9, "max_iter": 1}
    classifier = classifier_of(workload, batch_size=len(workload.inputs), shuffle=False, warm_start=True, **stopping)
    classifier.fit(workload.inputs, workload.targets)  # makes the arrays
    set_parameters(classifier, workload)

    def run(steps):
        classifier.set_params(max_iter=steps).fit(workload.inputs, workload.targets)
        return classifier.loss_curve_[-steps:]

    return run, lambda: classifier.predict_proba(workload.inputs)


def prepare_epochs(workload, batch_size, seed):
    """``partial_fit`` keeps the state of Adam, unlike ``fit``."""
    inputs, targets, classes = workload.inputs, workload.targets, np.arange(workload.widths[-1])
    classifier = classifier_of(workload, batch_size=batch_size, shuffle=batch_size < len(inputs), random_state=seed)
    classifier.partial_fit(inputs[:batch_size], targets[:batch_size], classes=classes)  # makes the arrays
    set_parameters(classifier, workload)
    del classifier._optimizer  # the next call makes a new one, for these parameters

    def train(epochs):
        for _ in range(epochs):
            classifier.partial_fit(inputs, targets)

    return train, classifier.predict_proba


if __name__ == "__main__":
    train_at_once(prepare)

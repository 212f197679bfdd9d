"""scikit-learn's MLPClassifier, one step per iteration of ``fit``.

It differs: ε is added to √v before the correction of v, which makes it up to 32 times as large in the first steps; Adam
starts anew at every ``fit``; its learning rate does not decay.
"""

import warnings

from sklearn.neural_network import MLPClassifier

from tests.benchmarks.standalone_programs import train_at_once
from tests.benchmarks.workloads import BETA_1, BETA_2, EPSILON


def prepare(workload, threads):
    warnings.simplefilter("ignore")  # each fit ends before it has converged
    classifier = MLPClassifier(
        workload.widths[1:-1],
        alpha=0.0,
        batch_size=len(workload.inputs),
        learning_rate_init=workload.learning_rate,
        beta_1=BETA_1,
        beta_2=BETA_2,
        epsilon=EPSILON,
        shuffle=False,
        tol=0.0,
        n_iter_no_change=10**9,
        warm_start=True,
        max_iter=1,
    )
    classifier.fit(workload.inputs, workload.targets)  # makes the arrays
    classifier.coefs_ = [weights.copy() for weights in workload.weights]
    for biases in classifier.intercepts_:
        biases[...] = 0

    def run(steps):
        classifier.set_params(max_iter=steps).fit(workload.inputs, workload.targets)
        return classifier.loss_curve_[-steps:]

    return run, lambda: classifier.predict_proba(workload.inputs)


if __name__ == "__main__":
    train_at_once(prepare)

"""Networks as scikit-learn estimators, for pipelines, grid search and cross-validation; no run directory is written.

>>> from sklearn.datasets import load_wine
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> from nncli.sklearn import NetworkClassifier
>>> X, y = load_wine(return_X_y=True)
>>> model = make_pipeline(StandardScaler(), NetworkClassifier(hidden=(16,), epochs=100, random_state=0))
>>> model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9
True
"""

from nncli.sklearn.estimators import NetworkClassifier, NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]

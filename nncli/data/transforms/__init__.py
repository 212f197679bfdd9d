"""How the values of a column become inputs of a network: scaling, encoding of categories, imputation.

Each component is fitted on training rows only and keeps a state of JSON values, from which it is restored without data.
Importing this package registers them.
"""

from nncli.data.transforms import encoding, imputation, quantile, scaling
from nncli.data.transforms.encoding import Encoding
from nncli.data.transforms.imputation import Imputation
from nncli.data.transforms.transform import Transform

__all__ = ["Encoding", "Imputation", "Transform", "encoding", "imputation", "quantile", "scaling"]

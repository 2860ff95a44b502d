"""Sentiment with BERT on the IMDb reviews, from a one-liner to a fine-tuned model.

Public names load when first used, so that ``import imdb_tutorial`` stays quick. Which name comes
from which room stands in ``__init__.pyi``, where editors and type checkers find it too.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

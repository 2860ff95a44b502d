"""What was measured of the real size: a BERT of 12 layers of 768, all reviews, and GPUs."""

from typing import NamedTuple

from imdb_tutorial.evaluation.intervals import Spread

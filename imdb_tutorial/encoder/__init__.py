"""A frozen BERT, and the features that it makes of reviews."""

"""A text in, a verdict out: every kind of saved model behind one pipeline."""

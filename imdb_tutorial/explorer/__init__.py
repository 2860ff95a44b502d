"""The interactive classifier: type a review, see the verdict and the words that did it."""

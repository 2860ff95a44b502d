"""Reviews: read, checked, and cut into train, validation and test."""

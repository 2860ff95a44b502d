"""The model hub, which may be ill: files at a pinned revision, or the true reason in one line."""

"""The plumbing: files, cache, hub, processes, bars; nothing here knows what a review is."""

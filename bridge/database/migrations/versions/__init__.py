"""The revisions, first to last."""

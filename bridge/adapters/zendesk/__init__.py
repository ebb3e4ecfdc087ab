"""Zendesk: the adapter, its settings, and its set-up."""

"""Zammad: the adapter, its settings, and its set-up."""

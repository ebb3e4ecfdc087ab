"""Stateful stand-ins that speak the vendors' HTTP, for the demo and the tests."""

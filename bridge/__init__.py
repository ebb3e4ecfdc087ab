"""Support Points Bridge: prepaid support points for the helpdesk you already have."""

__version__ = "0.1.0"

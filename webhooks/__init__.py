"""The receiver: Flask, and only Flask."""

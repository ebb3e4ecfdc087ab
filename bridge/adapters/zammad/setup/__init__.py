"""How a Zammad is set up: what the bridge has there, made, mended, proved and removed."""

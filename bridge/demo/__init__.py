"""The demo, and the scene that it plays on: stand-ins of helpdesks with a bridge beside them."""

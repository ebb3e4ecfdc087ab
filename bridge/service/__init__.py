"""The use cases: what happens with a delivery, a purchase, a write-back, and as time goes by."""

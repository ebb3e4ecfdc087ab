"""The ledger, and beside it incidents, inbox and outbox: one database, one transaction."""

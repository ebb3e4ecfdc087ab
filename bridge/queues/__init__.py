"""Inbox and outbox: work that is owed, one ticket at a time, in order, until it is done or parked.

Both tables have the same life: queued, leased, then done; or queued again with a wait; or dead, for
an admin to replay or to discard with a reason. A lease that runs out makes the work claimable
again, so a killed worker loses nothing. The rows of one ticket are never worked on by two workers.
"""

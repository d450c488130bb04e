"""The sweep: lists what really exists, compares it with the ledger, and queues what is missing or stale."""

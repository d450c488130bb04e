"""What the security account owns: queues, ledger, results, credentials, notifications, metrics."""

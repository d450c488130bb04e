"""What the hub costs a month: prices with their sources, what a change uses, and the table in `docs/deploy.md`."""

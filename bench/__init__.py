"""What things cost, measured on real processes. Run by `make bench`, never by a test."""

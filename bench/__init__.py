"""What things cost, as CPU time and ratios. Run by `make bench`, never by a test."""

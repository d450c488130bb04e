"""What concerns one member account: its functions, their changes, the role by which they are read."""

"""The embedded cloud, the sample functions and the stand-in scanner: for trying out and testing."""

"""Sample functions that really contain what they are said to contain, for three spokes and two regions."""

from infra.local.samples.catalogue import SAMPLES
from infra.local.samples.sample import ExpectedFindings, Sample

__all__ = ["SAMPLES", "ExpectedFindings", "Sample"]

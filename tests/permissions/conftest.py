"""The policy evaluator, as the tests of the policies have it."""

from tests.policies.conftest import evaluator

__all__ = ["evaluator"]

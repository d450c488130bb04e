"""Deliberate faults of the product, by subject; `python -m tests.simulation.mutants` hunts them."""

from tests.simulation.mutants import failures, holding, journey, service, sweeping

MUTANTS = (
    *journey.MUTANTS,
    *holding.MUTANTS,
    *failures.MUTANTS,
    *service.MUTANTS,
    *sweeping.MUTANTS,
)

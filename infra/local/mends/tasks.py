"""A task that somebody starts.

moto 5.2.5 answers RunTask of a definition whose memory is told for the task alone (as Fargate has it) by a page of
HTML: 500, which a client tries again and again. It runs no containers in any case, so the answer says that, once.
"""

from contextlib import AbstractContextManager
from typing import NoReturn

from moto.ecs.exceptions import ECSException
from moto.ecs.responses import EC2ContainerServiceResponse

from infra.local.mends.replacement import replaced


class UnsupportedFeatureException(ECSException):
    """ECS's word for a task that cannot be had in a region (its API reference, RunTask)."""

    code = "UnsupportedFeatureException"

    def __init__(self) -> None:
        super().__init__("the embedded cloud runs no tasks: run the command itself, here")


def mended() -> AbstractContextManager[None]:
    """RunTask is refused for good."""

    def run_task(_: EC2ContainerServiceResponse) -> NoReturn:
        raise UnsupportedFeatureException

    return replaced(EC2ContainerServiceResponse, "run_task", run_task)

"""Long polls whose client has gone.

moto 5.2.5 goes on with a poll when its connection is closed, and takes messages for nobody: they are invisible for a
whole visibility timeout. SQS keeps what it has not sent yet.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from flask import has_request_context, request
from moto.sqs.models import Message, SQSBackend

from infra.local.mends.replacement import replaced

_NAP = 1
"""Seconds at most between two looks, as in moto itself; a message that is sent ends it early."""


def mended() -> AbstractContextManager[None]:
    """A poll takes messages only for a client that is there."""
    original = SQSBackend.receive_message

    def receive_message(
        backend: SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> Sequence[Message]:
        client = request.environ.get("werkzeug.socket") if has_request_context() else None
        end = time.monotonic() + wait_seconds_timeout
        while client is None or not _has_gone(client):
            found: Sequence[Message] = original(
                backend, queue_name, count, 0, visibility_timeout, message_attribute_names
            )
            if found or time.monotonic() >= end:
                return found
            backend.get_queue(queue_name).wait_for_messages(_NAP)
        return []

    return replaced(SQSBackend, "receive_message", receive_message)


def _has_gone(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True

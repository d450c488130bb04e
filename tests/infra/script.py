"""AWS clients that answer by a script: for states that no emulator can show. Requests and answers fit AWS's models."""

from collections import defaultdict
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from infra.calls import AwsClient

__all__ = ["Script", "refusal"]

_METADATA: Any = {"HTTPStatusCode": 400}


def refusal(code: str, message: str = "no") -> ClientError:
    """What AWS answers instead; the operation's name is filled in."""
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": _METADATA}, "?")


class Script:
    """The answers of a service, operation by operation; the last one of each is given again and again.

    Operations that are not in the script go to the client's endpoint, if it has one.
    """

    def __init__(self, service: str, *, client: AwsClient = None, region: str = "eu-central-1") -> None:
        self._strict = client is None
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        make: Any = boto3.client
        self.client = client or make(service, region_name=region, endpoint_url="http://127.0.0.1:1", **keys)
        self._answers: dict[str, list[Any]] = {}
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        events = self.client.meta.events
        events.register_first(f"provide-client-params.{service}", self._record)
        events.register_first(f"before-call.{service}", self._answer)

    def on(self, operation: str, *answers: Mapping[str, Any] | Exception) -> "Script":
        shape = self.client.meta.service_model.operation_model(operation).output_shape
        for answer in answers:
            if not isinstance(answer, Exception) and shape is not None:
                report = ParamValidator().validate(dict(answer), shape)
                assert not report.has_errors(), report.generate_report()
        self._answers[operation] = list(answers)
        return self

    def _record(self, params: dict[str, Any], model: OperationModel, **_: object) -> None:
        self.calls[model.name].append(dict(params))

    def _answer(self, model: OperationModel, **_: object) -> tuple[SimpleNamespace, dict[str, Any]] | None:
        answers = self._answers.get(model.name)
        if not answers:
            assert not self._strict, f"{model.name} is not in the script"
            return None
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, ClientError):
            raise ClientError(answer.response, model.name)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(status_code=200), {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}

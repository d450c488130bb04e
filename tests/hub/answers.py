"""Answers that no emulator gives."""

from typing import Any


class AnswersByList:
    """A client that answers from a list: what moto never says. The last answer stands for all that follow."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    async def answer(self, **request: Any) -> Any:  # noqa: ANN401  # as the client's own methods
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer

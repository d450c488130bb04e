import re
from dataclasses import replace

import pytest

from infra.permissions import document
from infra.permissions.__main__ import main
from infra.permissions.code import ROOT, Use
from infra.permissions.document import DOCUMENT, FRAME, Incomplete, render, rendered
from infra.permissions.reasons import load
from infra.permissions.statements import Kind, Statement, statements
from tests.infra.permissions.test_reasons import PARK, SEND


def test_docs_iam_is_current() -> None:
    assert DOCUMENT.read_text("utf-8") == rendered(), (
        "docs/iam.md is not what templates and code say now: run `make iam`"
    )


def test_every_permission_has_a_row_with_its_reason_and_who_uses_it() -> None:
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in rendered().splitlines()
        if line[:1] == "|"
    ]
    rows = [row for row in rows if set("".join(row)) != {"-"} and "Action" not in row]
    assert all(all(row[-2:]) for row in rows)
    text = "\n".join(" ".join(row) for row in rows)
    found = list(statements())
    assert len(found) > 30
    for statement in found:
        if statement.kind is not Kind.TRUST:
            assert statement.sid in text
        for action, _ in statement.actions:
            assert f"`{action}`" in text
        for resource, _ in statement.resources:
            assert f"`{resource}`" in text
        for _, key, values in statement.conditions:
            assert f"`{key}`" in text
            assert all(f"`{value}`" in text for value, _ in values)


def test_a_link_leads_to_the_line_that_makes_the_call() -> None:
    links = re.findall(r"\[([\w/.]+)#L(\d+)\]\(\.\./([\w/.]+)#L(\d+)\)", rendered())
    assert len(links) > 25
    for shown, line, path, number in links:
        assert (shown, line) == (path, number)
    uses = {(use.path, use.line(), use.what) for reason in load() for use in reason.code}
    for path, line, what in uses:
        assert what in (ROOT / path).read_text().splitlines()[line - 1]


def test_a_moved_line_makes_the_document_stale() -> None:
    moved = replace(PARK, code=(Use("hub/queue.py", "SqsQueue.park"),), by="SQS")
    frame = "{{ hub.yaml TaskRole }}"
    assert render(frame, [SEND], [PARK]) != render(frame, [SEND], [moved])


def test_a_table_says_what_is_allowed_why_and_by_which_line() -> None:
    line = PARK.code[0].line()
    guarded = replace(
        SEND,
        guards=("Parks",),
        resources=(("${ChangesDlq.Arn}", ()), ("${SweepDlq.Arn}", ("Sweeps", "not Single"))),
        conditions=(("Bool", "aws:SecureTransport", (("true", ()),)),),
    )
    assert render("# Park\n\n{{ hub.yaml TaskRole }}\n", [guarded], [PARK]) == (
        "# Park\n\n"
        "| Statement | Action | On what | Only if | Why | Used by |\n"
        "|---|---|---|---|---|---|\n"
        "| Park | `sqs:SendMessage` | `${ChangesDlq.Arn}`<br>`${SweepDlq.Arn}` (template: `Sweeps` and not `Single`) "
        "| Bool `aws:SecureTransport`: `true`<br>template: `Parks` | park a message "
        f"| [hub/queue.py#L{line}](../hub/queue.py#L{line}) |\n"
    )


def test_a_refusal_and_everybody_are_named_so() -> None:
    deny = replace(SEND, kind=Kind.RESOURCE, effect="Deny", principals=("*",))
    table = render("{{ hub.yaml TaskRole }}", [deny], [PARK])
    assert "| `TaskRole` | Park | everybody | **refused:** `sqs:SendMessage` |" in table


@pytest.mark.parametrize(
    ("frame", "found", "said"),
    [
        ("", [SEND], "the frame has no place for it"),
        ("{{ hub.yaml TaskRole }}\n{{ hub.yaml TaskRole }}", [SEND], "the frame has it twice"),
        ("{{ hub.yaml TaskRole Gone }}", [SEND], "hub.yaml Gone: has no policy"),
        ("{{ hub.yaml TaskRole }}", [replace(SEND, sid="Another")], "no reason is given"),
    ],
)
def test_what_does_not_fit_makes_no_document(frame: str, found: list[Statement], said: str) -> None:
    with pytest.raises(Incomplete, match=said):
        render(frame, found, [PARK])


def test_the_chore_writes_the_document_or_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = tmp_path_factory.mktemp("docs") / "iam.md"
    monkeypatch.setattr("infra.permissions.__main__.DOCUMENT", page)
    assert main([]) == 0
    assert page.read_text("utf-8") == rendered()
    assert main(["--print"]) == 0
    assert capsys.readouterr().out == rendered()
    frame = page.with_name("frame.md")
    frame.write_text(FRAME.read_text("utf-8").replace("{{ hub.yaml BusPolicy }}", ""), "utf-8")
    monkeypatch.setattr(document, "FRAME", frame)
    assert main([]) == 1
    assert "hub.yaml BusPolicy: the frame has no place for it" in capsys.readouterr().err

"""What a parked message means, and what to do about it: one entry for every reason that there is.

The tables in `docs/operate.md` are made of this: `document_table` gives them, and a test holds that they stand there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from hub.dead_letters.message import NO_REASON

_LINK = re.compile(r"\[([^\]]+)\]\(#[^)]*\)")
_CODE_OR_BOLD = re.compile(r"`|\*\*")


class Remedy(StrEnum):
    """Whether a redrive helps."""

    REDRIVE = "redrive"
    """Sent once more it is tried anew; where something is broken, mend that first."""
    FORCE = "force"
    """Sent once more it would change nothing: a request for a forced scan goes in its place."""
    NONE = "none"
    """It would be parked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Of one reason, or of several that call for the same.

    Attributes:
        reasons: The words.
        parked_after: After how many tries; empty where at once.
        means: What has happened. Markdown: code, bold and links within `docs/operate.md`.
        to_do: What to do about it. The same.
        remedy: Whether a redrive helps.
    """

    reasons: tuple[str, ...]
    parked_after: str = ""
    means: str
    to_do: str
    remedy: Remedy = Remedy.REDRIVE


@dataclass(frozen=True, slots=True)
class Chapter:
    """Entries of one kind, with the heading that they stand under."""

    heading: str
    entries: tuple[Advice, ...]


CHAPTERS = (
    Chapter(
        "The body or the envelope is wrong: parked at once",
        (
            Advice(
                reasons=(
                    "not_json",
                    "not_an_object",
                    "too_large",
                    "too_deep",
                    "missing_field",
                    "wrong_type",
                    "bad_arn",
                    "bad_account",
                    "bad_region",
                    "bad_time",
                    "bad_reason",
                ),
                means="the body is no event or request that can be read; `detail` says where",
                to_do="find out who sent it. AWS changed its format: report a bug. Then drop it; to redrive it is of "
                "no use",
                remedy=Remedy.NONE,
            ),
            Advice(
                reasons=("account_mismatch", "region_mismatch"),
                means="the event of one account or region names a function of another",
                to_do="treat it as an attack or a broken forwarder until you know better: only EventBridge and "
                "principals of the security account can send to the queue. Look at the body and at CloudTrail, then "
                "drop it",
                remedy=Remedy.NONE,
            ),
        ),
    ),
    Chapter(
        "The function cannot be scanned",
        (
            Advice(
                reasons=("unreadable",),
                parked_after="1 try",
                means="as the state `UNREADABLE`",
                to_do="mend key, image or package, then redrive",
            ),
            Advice(
                reasons=("not_ready",),
                parked_after="15 tries, 4 to 15 minutes",
                means="the function's state is `Pending`, or its update is in progress, all the time",
                to_do="look at the function in its account; redrive once it is `Active`",
            ),
            Advice(
                reasons=("no_access", "session_refused"),
                parked_after="N tries",
                means="the role cannot be assumed, may not read, or its fresh session is refused",
                to_do="mend [the account](#an-account-that-does-not-let-us-in), then redrive. Nobody was notified: one "
                "account would mean hundreds of mails",
            ),
            Advice(
                reasons=("gone",),
                parked_after="N tries",
                means="the scanner says that function, layer or image is not there, while GetFunction says that the "
                "function is",
                to_do="often a deleted layer version or image: deploy the function anew, and drop the message",
            ),
            Advice(
                reasons=("scanner_crashed",),
                parked_after="N tries",
                means="the scanner died, hung, ran over `SCANHUB_SCAN_TIMEOUT` or ended with an error without a better "
                "name",
                to_do="read `detail`: the end of what it printed. `died by SIGKILL (out of memory?)`: more memory "
                "(`TaskMemory`) or fewer scans at once (`MaxConcurrentScans`), then redrive. Else ask Qualys",
            ),
            Advice(
                reasons=("result_unwritable",),
                parked_after="2 tries",
                means="the scanner could not write or pack a result",
                to_do="as `scanner_crashed`",
            ),
            Advice(
                reasons=("worker_died",),
                parked_after="N tries",
                means="each worker that scanned this code died or stalled",
                to_do="see [a function that kills its worker](#a-function-that-kills-its-worker)",
            ),
            Advice(
                reasons=("lease_lost",),
                parked_after="4 x N tries",
                means="the scan's lease could not be kept, again and again: the function stalls its worker, or the "
                "ledger is hard to reach",
                to_do="as `worker_died`; look at the network to DynamoDB",
            ),
            Advice(
                reasons=("qualys_fault",),
                parked_after="N tries",
                means="the scanner speaks of a refused token with this function, while other scans pass",
                to_do="read `detail`: mostly words of the package that read like a refusal. Ask Qualys; exclude the "
                "function if need be",
            ),
            Advice(
                reasons=("host_fault",),
                parked_after="3 tries (12 in workers that never passed a scan)",
                means="as many workers stopped for it: disk full, logger did not start, binary gone or replaced",
                to_do="see [a full disk](#a-full-disk); a broken image stops workers too",
            ),
        ),
    ),
    Chapter(
        "The way there is broken",
        (
            Advice(
                reasons=("throttled",),
                parked_after="4 x N tries, some two hours",
                means="an AWS API asked for patience again and again",
                to_do="see who uses up the limit in that account, then redrive",
            ),
            Advice(
                reasons=("unavailable",),
                parked_after="4 x N tries",
                means="time-outs, 5xx, no connection",
                to_do="see AWS's status and the worker's network, then redrive",
            ),
            Advice(
                reasons=("upload_failed",),
                parked_after="4 x N tries",
                means="the uploads of this one message fail, while others pass. (Where several fail, the circuit opens "
                "and no message is parked)",
                to_do="read `detail`; ask Qualys; redrive",
            ),
            Advice(
                reasons=("misconfigured",),
                parked_after="3 tries (12 in workers that never passed a scan)",
                means="as many workers stopped for it: the scanner refuses a parameter (exit 2), or the function's "
                "ledger item was written by a newer version",
                to_do="check `SCANHUB_QSCANNER_*` and `SCANHUB_SCAN_TYPES` against the scanner's version; `detail` "
                "says which. Then redrive",
            ),
            Advice(
                reasons=("effects_owed",),
                parked_after="the limit of what failed",
                means="**the result is stored and the state is right**; a tag, the notification or the metrics could "
                "not be done. `history` says why",
                to_do="mend the cause. The message itself would find the fresh result and make up for nothing: so a "
                "redrive sends a request for a forced scan in its place, and only if asked for by name "
                "(`--reason effects_owed` or an id), since it costs a scan",
                remedy=Remedy.FORCE,
            ),
            Advice(
                reasons=("retry",),
                parked_after="N tries",
                means="AWS answered with an error that is in no table",
                to_do="read `detail`; report a bug",
            ),
            Advice(
                reasons=("unexpected",),
                parked_after="N tries",
                means="a mistake of scanhub's own",
                to_do="the log has the traceback (`unexpected error`); report a bug",
            ),
            Advice(
                reasons=(NO_REASON,),
                parked_after="`MaxReceiveCount` (1000) receives",
                means="it tells no reason: SQS itself has moved it, since it was given back for weeks or whoever "
                "received it was no scanhub; or somebody else has sent it",
                to_do="read the body; redrive",
            ),
        ),
    ),
)

BY_REASON: Mapping[str, Advice] = MappingProxyType(
    {reason: entry for chapter in CHAPTERS for entry in chapter.entries for reason in entry.reasons}
)

UNKNOWN = Advice(
    reasons=(), means="this version of scanhub does not know the word", to_do="look it up with the version that runs"
)


def advice(reason: str) -> Advice:
    """What is known of a reason; of an unknown one (a newer worker's), that it is unknown."""
    return BY_REASON.get(reason, UNKNOWN)


def plain(markdown: str) -> str:
    """For a terminal: without the marks; a link keeps its words alone."""
    return _CODE_OR_BOLD.sub("", _LINK.sub(r"\1", markdown))


def document_table(chapter: Chapter) -> str:
    """The chapter as the table of `docs/operate.md`."""
    timed = any(entry.parked_after for entry in chapter.entries)
    headings = ["reason", *(["parked after"] if timed else []), "means", "what to do", "redrive"]
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    for entry in chapter.entries:
        words = ", ".join(f"`{reason}`" for reason in entry.reasons)
        cells = [words, *([entry.parked_after] if timed else []), entry.means, entry.to_do, _HELPS[entry.remedy]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


_HELPS = {Remedy.REDRIVE: "yes", Remedy.FORCE: "a forced scan", Remedy.NONE: "no"}

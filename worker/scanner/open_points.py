"""What is not documented of the scanner: the kinds of question that are asked of the real binary."""

from hub.diagnosis import Kind

GROUP = "qscanner"
LOOK_AT_DOCS = "adapt the driver and docs/scanner.md to what was seen, or report it to the project"


def _kind(name: str, asks: str, wrong: str, fix: str = LOOK_AT_DOCS) -> Kind:
    return Kind(name=f"qscanner-{name}", group=GROUP, asks=asks, wrong=wrong, fix=fix)


WORDS = _kind(
    "word",
    "which word scans a function by its ARN, `lambda` or `function`?",
    "The word of the settings does not work with this version.",
    "set SCANHUB_QSCANNER_COMMAND to the word that works",
)
SESSION = _kind(
    "session",
    "does a session that is narrowed to the one function suffice?",
    "Every scan ends as refused: the scanner calls more than the session policy allows.",
)
FILES = _kind(
    "files",
    "which files does a scan leave, under which names, and are all of them known?",
    "A file that is not known is not kept; a known one that is missing leaves the result partial.",
)
STREAMS = _kind(
    "streams", "what does it print, and on which stream?", "The reason of a failure may be missing in a result."
)
TYPES = _kind(
    "scan-types",
    "what does it scan for when no scan types are named?",
    "Nothing; the driver always names them.",
)
REPORT = _kind(
    "report",
    "which keys does the SARIF report have, and can its findings be read?",
    "Severities, QIDs or packages are missing in the findings.",
)
SECRETS = _kind(
    "secrets",
    "under which keys does it report secrets, without and with a rule file?",
    "Secrets are not counted or not shown.",
)
LAYERS = _kind(
    "layers",
    "is what lies in the function's layers found too?",
    "Vulnerable packages in layers go unseen.",
    "name a function that has a layer; if its packages are not found, tell the vendor",
)
TOKEN = _kind(
    "token",
    "what does a token that Qualys does not know end with, and is it recognised?",
    "An expired token would count against each message instead of stopping the worker until it is renewed.",
)
ABSENT = _kind(
    "absent",
    "what does a function that is not there end with, and is it recognised?",
    "A deleted function would be tried again and again.",
)
TIME_OUT = _kind(
    "time-out", "what does its own time limit end with?", "A scan that took too long is told as something else."
)
TOGETHER = _kind(
    "together",
    "do two at once, each with a cache directory of its own, hinder each other?",
    "MAX_CONCURRENT_SCANS above 1 gains nothing, or makes scans fail.",
    "set MaxConcurrentScans to 1, and more tasks instead",
)
CACHE = _kind(
    "cache",
    "what does a scan leave in its cache directory, in HOME and in TMPDIR?",
    "The disk of a long-lived worker fills, or a cache that was meant to be off is used.",
)
KINDS = (WORDS, SESSION, FILES, STREAMS, CACHE, TYPES, REPORT, SECRETS, LAYERS, TOKEN, ABSENT, TIME_OUT, TOGETHER)

"""The made-up organization: accounts, functions, what happens to them, and what the ledger knows of them."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.coverage import Coverage, CoverageState
from hub.ledger_items import committed, new_lease, recorded, scan_item_key, state_item_key
from hub.ledger_wire import wire_item
from hub.scans import ScanKey, ScanProfile, ScanStatus, ScanSummary, Severity, new_scan_id, results_prefix
from spoke.arn import FunctionArn
from spoke.snapshot import fingerprint

REGION = "eu-central-1"
HUB = "123456789012"
ACCOUNTS = 50
"""The functions lie in so many accounts by turns: neither one for all nor one for each is what an organization has."""

_RECORDED = Path(__file__).parent.parent / "tests/spoke/events/update_code_by_arn_with_layers.json"
LAYERS = (
    f"arn:aws:lambda:{REGION}:210987654321:layer:reporting-fonts:7",
    f"arn:aws:lambda:{REGION}:770693421928:layer:Klayers-p313-pillow:3",
)


def functions(name: str, count: int) -> Iterator[FunctionArn]:
    """So many functions of that name, each with its number."""
    for number in range(count):
        yield FunctionArn("aws", REGION, f"2100000{number % ACCOUNTS:05d}", f"{name}-{number}")


def code_sha256(arn: str) -> str:
    """Lambda's `CodeSha256` of a function: base64, no two alike."""
    return base64.b64encode(hashlib.sha256(arn.encode()).digest()).decode()


def events(arns: Iterator[FunctionArn]) -> Iterator[str]:
    """A recorded update of each function's code, as EventBridge delivers it to the queue."""
    document = json.loads(_RECORDED.read_text(encoding="utf-8"))
    detail = document["detail"]
    response = detail["responseElements"]
    if [layer["arn"] for layer in response["layers"]] != list(LAYERS):
        raise AssertionError("the recorded event has other layers than GetFunction answers here")
    for arn in arns:
        document["account"], document["region"] = arn.account, arn.region
        detail["requestParameters"]["functionName"] = str(arn)
        response |= {"functionName": arn.name, "functionArn": str(arn), "codeSha256": code_sha256(str(arn))}
        # EventBridge writes no spaces.
        yield json.dumps(document, separators=(",", ":"))


def described(arn: str) -> dict[str, Any]:
    """What GetFunction answers, ready to be scanned and with the code that the event has told of."""
    account, name = arn.split(":")[4], arn.split(":")[6]
    return {
        "Configuration": {
            "FunctionName": name,
            "FunctionArn": arn,
            "Runtime": "python3.13",
            "Role": f"arn:aws:iam::{account}:role/{name}-execution",
            "Handler": "app.handler",
            "CodeSize": 1482301,
            "Description": "",
            "Timeout": 30,
            "MemorySize": 512,
            "LastModified": "2026-11-20T10:11:12.345+0000",
            "CodeSha256": code_sha256(arn),
            "Version": "$LATEST",
            "TracingConfig": {"Mode": "PassThrough"},
            "RevisionId": "0a6f3e2b-77c1-4a55-9d0b-4a3f2c1d0e9f",
            "Layers": [{"Arn": layer, "CodeSize": 4210331} for layer in LAYERS],
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": ["arm64"],
            "EphemeralStorage": {"Size": 512},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        },
        "Code": {
            "RepositoryType": "S3",
            "Location": f"https://awslambda-{REGION}-tasks.s3.{REGION}.amazonaws.com/snapshots/{account}/{name}"
            f"?versionId=abc&X-Amz-Security-Token={'x' * 1200}&X-Amz-Signature={'0' * 64}",
        },
        "Tags": {"team": "billing", "cost-center": "4711", "env": "production"},
    }


def covered(arns: Iterator[FunctionArn], profile: ScanProfile) -> Iterator[dict[str, Any]]:
    """The ledger's items of functions whose result is fresh and owes nothing, as DynamoDB holds them."""
    now = datetime.now(UTC)
    for arn in arns:
        key = ScanKey(arn, fingerprint(code_sha256(str(arn)), LAYERS), profile.id)
        scan_id = new_scan_id(now)
        summary = ScanSummary(
            scan_id=scan_id,
            status=ScanStatus.SUCCESS,
            manifest_key=f"{results_prefix(arn, scan_id)}manifest.json",
            completed_at=now,
            fresh_until=now + timedelta(days=30),
            severities=dict.fromkeys(Severity, 2),
            packages=40,
            scan_tag="1763633472",
        )
        coverage = Coverage(
            function=arn,
            state=CoverageState.COVERED,
            reason="",
            at=now,
            as_of=now,
            fingerprint=key.fingerprint,
            last_good=summary,
        )
        lease = new_lease(key, message_id="a", owner="b", expires_at=now)
        for at, update in (
            (scan_item_key(key), committed(lease, summary, ())),
            (state_item_key(arn), recorded(coverage)),
        ):
            yield wire_item(update.applied_to({"pk": at.pk, "sk": at.sk}))

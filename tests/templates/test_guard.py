"""The project's own rules: each holds on the templates as they are, and not on one that breaks its promise."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.templates import guard
from tests.templates.documents import document
from tests.templates.guard import OURS, evaluate

Break = Callable[[dict[str, Any]], object]

pytestmark = pytest.mark.skipif(
    not guard.binary().exists(), reason="cfn-guard is not installed; make .venv-node/.installed"
)


def properties(resource: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def of(resources: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = resources[resource]["Properties"]
        return found

    return of


def change(resource: str, **values: object) -> Break:
    return lambda resources: properties(resource)(resources).update(values)


def drop(resource: str, name: str) -> Break:
    return lambda resources: properties(resource)(resources).pop(name)


def statement(resource: str, sid: str | None = None) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The statement of a resource's policy, or of a role's trust where no Sid is given."""

    def of(resources: dict[str, Any]) -> dict[str, Any]:
        body = properties(resource)(resources)
        documents = [body.get(name) for name in ("PolicyDocument", "KeyPolicy")]
        documents += [policy["PolicyDocument"] for policy in body.get("Policies", [])]
        if sid is None:
            documents = [body["AssumeRolePolicyDocument"]]
        every = [one for found in documents if found for one in found["Statement"]]
        chosen: dict[str, Any] = next(one for one in every if sid is None or one.get("Sid") == sid)
        return chosen

    return of


def rewrite(resource: str, sid: str | None, **values: object) -> Break:
    return lambda resources: statement(resource, sid)(resources).update(values)


def forget(resource: str, sid: str | None, name: str) -> Break:
    return lambda resources: statement(resource, sid)(resources).pop(name)


def container(**values: object) -> Break:
    return lambda resources: properties("Task")(resources)["ContainerDefinitions"][0].update(values)


HUB: list[tuple[str, Break]] = [
    ("queues_are_encrypted", drop("SweepDlq", "KmsMasterKeyId")),
    ("queues_are_encrypted", change("ChangesQueue", KmsMasterKeyId="alias/aws/sqs")),
    ("queues_keep_messages_for_fourteen_days", change("ChangesDlq", MessageRetentionPeriod=345600)),
    ("tables_are_under_our_key", drop("Ledger", "SSESpecification")),
    ("tables_can_be_brought_back", drop("Ledger", "PointInTimeRecoverySpecification")),
    ("buckets_are_under_our_key", drop("Results", "BucketEncryption")),
    ("buckets_are_versioned", drop("Results", "VersioningConfiguration")),
    ("topics_are_under_our_key", drop("Topic", "KmsMasterKeyId")),
    ("secrets_are_under_our_key", drop("ExternalIdSecret", "KmsKeyId")),
    ("secrets_hold_nothing_from_a_template", change("QualysSecret", SecretString="{}")),
    ("log_groups_end", drop("Logs", "RetentionInDays")),
    ("keys_rotate", change("Key", EnableKeyRotation=False)),
    ("data_outlives_its_stack", lambda resources: resources["Results"].pop("DeletionPolicy")),
    ("data_outlives_its_stack", lambda resources: resources["Ledger"].update(UpdateReplacePolicy="Delete")),
    ("queues_have_a_policy", lambda resources: resources.pop("SweepDlqPolicy")),
    ("buckets_have_a_policy", lambda resources: resources.pop("ResultsPolicy")),
    ("topics_have_a_policy", lambda resources: resources.pop("TopicPolicy")),
    ("resources_refuse_plain_http", rewrite("ResultsPolicy", "TlsOnly", Effect="Allow")),
    ("resources_refuse_plain_http", forget("TopicPolicy", "TlsOnly", "Condition")),
    ("nobody_outside_is_let_in", rewrite("ChangesQueuePolicy", "OnlyTheRuleSends", Principal="*")),
    ("nobody_outside_is_let_in", rewrite("ChangesQueuePolicy", "OnlyTheRuleSends", Principal={"AWS": "*"})),
    ("nobody_outside_is_let_in", forget("ChangesQueuePolicy", "OnlyTheRuleSends", "Condition")),
    (
        "bus_takes_events_of_the_organization_alone",
        lambda resources: resources["BusPolicy"]["Properties"]["Statement"]["Condition"].pop("StringEquals"),
    ),
    (
        "bus_takes_events_of_the_organization_alone",
        lambda resources: resources["BusPolicy"]["Properties"]["Statement"]["Condition"].pop("Null"),
    ),
    ("key_serves_services_for_this_account_alone", forget("Key", "RuleFillsEncryptedQueues", "Condition")),
    ("key_serves_services_for_this_account_alone", rewrite("Key", "LogsOfTheWorker", Action="kms:*")),
    ("buckets_are_private", drop("Results", "PublicAccessBlockConfiguration")),
    (
        "buckets_are_private",
        change("Results", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}),
    ),
    ("roles_may_do_no_more_than_is_named", rewrite("TaskRole", "StoreResults", Action="s3:*")),
    ("roles_may_do_no_more_than_is_named", rewrite("TaskRole", "StoreResults", Action=["s3:PutObject", "*"])),
    ("roles_may_do_no_more_than_is_named", rewrite("TaskRole", "StoreResults", Resource="*")),
    (
        "roles_may_do_no_more_than_is_named",
        lambda resources: statement("TaskRole", "Notify")(resources).update(
            NotAction=statement("TaskRole", "Notify")(resources).pop("Action")
        ),
    ),
    ("policies_may_do_no_more_than_is_named", rewrite("QualysSecretKeyUse", "ReadTheGivenSecret", Action="kms:*")),
    (
        "roles_take_no_policy_of_others",
        change("TaskRole", ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ),
    ("roles_are_assumed_under_conditions", forget("TaskRole", None, "Condition")),
    ("roles_are_assumed_under_conditions", rewrite("TaskRole", None, Principal="*")),
    ("tasks_run_without_rights", container(User="0")),
    ("tasks_run_without_rights", container(ReadonlyRootFilesystem=False)),
    ("tasks_run_without_rights", container(Privileged=True)),
    ("tasks_run_without_rights", container(LinuxParameters={"InitProcessEnabled": True})),
    ("tasks_run_without_rights", container(PortMappings=[{"ContainerPort": 8080}])),
    ("tasks_hold_no_secret", container(Environment=[{"Name": "QUALYS_ACCESS_TOKEN", "Value": "x"}])),
    ("services_stay_within", change("Service", EnableExecuteCommand=True)),
    ("services_stay_within", change("Service", LoadBalancers=[{"ContainerPort": 1}])),
    ("clusters_are_watched", drop("Cluster", "ClusterSettings")),
    (
        "nothing_comes_in",
        change("SecurityGroup", SecurityGroupIngress=[{"IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}]),
    ),
    ("nothing_comes_in", change("SecurityGroup", SecurityGroupEgress=[{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}])),
    (
        "no_ingress_by_the_back_door",
        lambda resources: resources.update(
            Door={"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"CidrIp": "0.0.0.0/0"}}
        ),
    ),
    (
        "undelivered_events_are_kept",
        lambda resources: properties("ChangesRule")(resources)["Targets"][0].pop("DeadLetterConfig"),
    ),
]
SPOKE: list[tuple[str, Break]] = [
    ("queues_are_encrypted", drop("UndeliveredQueue", "SqsManagedSseEnabled")),
    (
        "roles_are_assumed_under_conditions",
        lambda resources: statement("SpokeRole")(resources)["Condition"]["StringEquals"].pop("sts:ExternalId"),
    ),
    (
        "roles_are_assumed_under_conditions",
        lambda resources: statement("SpokeRole")(resources)["Condition"]["StringEquals"].pop("aws:PrincipalOrgID"),
    ),
    ("roles_are_assumed_under_conditions", rewrite("SpokeRole", None, Principal={"AWS": "*"})),
    ("roles_may_do_no_more_than_is_named", rewrite("SpokeRole", "ReadFunctions", Action=["lambda:*"], Resource="x")),
    ("roles_may_do_no_more_than_is_named", rewrite("SpokeRole", "ReadFunctions", Resource="*")),
]
BROKEN = [("hub.yaml", *case) for case in HUB] + [("spoke.yaml", *case) for case in SPOKE]


@pytest.fixture(scope="module")
def sound() -> dict[str, dict[str, Any]]:
    return {name: document(name) for name in ("hub.yaml", "spoke.yaml")}


def rules(path: Path) -> set[str]:
    return set(re.findall(r"^rule (\w+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", sorted(OURS.glob("*.guard")), ids=lambda path: path.stem)
def test_every_broken_promise_is_found(path: Path, sound: dict[str, dict[str, Any]]) -> None:
    documents = {}
    for index, (name, rule, break_it) in enumerate(BROKEN):
        if rule in rules(path):
            resources = copy.deepcopy(sound[name]["Resources"])
            break_it(resources)
            documents[f"{index}"] = {"Resources": resources}
    known = {(finding.place.file, finding.place.rule) for finding in evaluate(documents, [path])}
    missed = [BROKEN[int(index)][:2] for index in documents if (index, BROKEN[int(index)][1]) not in known]
    assert documents
    assert missed == []


def test_each_rule_of_ours_is_broken_by_one_of_these() -> None:
    assert {rule for path in OURS.glob("*.guard") for rule in rules(path)} == {rule for _, rule, _ in BROKEN}


def test_what_breaks_a_promise_is_named(sound: dict[str, dict[str, Any]]) -> None:
    broken = copy.deepcopy(sound["hub.yaml"])
    change("ChangesDlq", MessageRetentionPeriod=60)(broken["Resources"])
    [finding] = [
        one for one in evaluate({"hub.yaml": broken}, [OURS]) if one.place.rule.startswith("queues_keep_messages")
    ]
    assert (finding.place.file, finding.place.resource) == ("hub.yaml", "ChangesDlq")
    assert finding.says == "a message waits for fourteen days, the most that SQS allows"


def test_a_rule_that_cannot_be_read_is_no_silence(tmp_path: Path) -> None:
    (tmp_path / "wrong.guard").write_text("rule wrong { Resources.*[ Type == }")
    with pytest.raises(RuntimeError, match="cfn-guard ended with"):
        evaluate({"x.yaml": {"Resources": {}}}, [tmp_path])


def test_control_towers_rules_are_there() -> None:
    found = evaluate({"x.yaml": {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {}}}}})
    assert "sqs_dlq_check" in {finding.place.rule for finding in found}
    assert len(list(guard.CONTROL_TOWER.rglob("*.guard"))) > 200

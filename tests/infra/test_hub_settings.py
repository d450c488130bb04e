from hub.settings import Settings
from infra.hub_settings import environment, output_name
from infra.permissions.templates import read


def test_an_output_is_named_like_its_setting() -> None:
    assert output_name("changes_queue_url") == "ChangesQueueUrl"
    assert output_name("results_kms_key_arn") == "ResultsKmsKeyArn"


def test_the_outputs_of_the_hub_become_variables_and_other_outputs_none() -> None:
    outputs = {
        "ChangesQueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes",
        "BusArn": "arn:aws:events:eu-central-1:123456789012:event-bus/scanhub",
        "TaskRoleArn": "arn:aws:iam::123456789012:role/scanhub-worker",
    }
    assert environment(outputs) == {
        "SCANHUB_CHANGES_QUEUE_URL": outputs["ChangesQueueUrl"],
        "SCANHUB_BUS_ARN": outputs["BusArn"],
    }


def test_the_hubs_template_decides_every_setting_without_a_default() -> None:
    outputs = dict.fromkeys(read("hub.yaml")["Outputs"], "value")
    required = {f"SCANHUB_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    assert required <= set(environment(outputs))

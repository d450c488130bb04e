from tests.templates.documents import document


def test_parameters_stand_for_their_defaults_and_attributes_for_themselves() -> None:
    resources = document("hub.yaml")["Resources"]
    assert isinstance(resources["Logs"]["Properties"]["RetentionInDays"], int)
    assert resources["Logs"]["Properties"]["KmsKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}
    # A parameter without a default, and an empty one, cannot stand for anything.
    assert resources["BusPolicy"]["Properties"]["Statement"]["Condition"]["StringEquals"] == {
        "aws:PrincipalOrgID": {"Ref": "OrganizationId"}
    }
    assert resources["ChangesQueue"]["Properties"]["KmsMasterKeyId"] == {"Ref": "Key"}


def test_a_text_that_begins_with_an_attribute_is_a_join() -> None:
    statement = document("hub.yaml")["Resources"]["ResultsPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    assert {"Fn::Join": ["", [{"Fn::GetAtt": ["Results", "Arn"]}, "/*"]]} in statement["Resource"]

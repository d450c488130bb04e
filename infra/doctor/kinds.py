"""The kinds of check that are made both from outside and from inside."""

from hub.diagnosis import Kind

QUALYS_SECRET = Kind(
    name="qualys-secret",
    group="secrets",
    asks="does the Qualys secret hold a POD or gateway URL and an access token, in the right form?",
    wrong="The worker does not start.",
    fix='put the JSON in by `aws secretsmanager put-secret-value`: {"qualys_pod": "EU1", "qualys_access_token": "..."}',
)

"""The stacks that the table asks about, and who lives in them."""

from dataclasses import replace

from tests.policies.world import CODE_KEY, HUB, OTHER_REGION, SPOKE, administrator, hub, network, session, spoke

THE_HUB = hub()
HUB_WITH_A_SECRET_OF_ITS_OWN = hub(
    QualysSecretArn=f"arn:aws:secretsmanager:eu-central-1:{HUB}:secret:security/qualys-Ab12Cd",
    QualysSecretKmsKeyArn=f"arn:aws:kms:eu-central-1:{HUB}:key/99999999-8888-4777-a666-555555555555",
)
HUB_ON_A_PATH = hub(SpokeRolePath="/security/scan/")

THE_NETWORK = network(FlowLogs="true")

THE_SPOKE = spoke(THE_HUB)
SPOKE_ELSEWHERE = spoke(THE_HUB, region=OTHER_REGION)
SPOKE_WITHOUT_TAGS = spoke(THE_HUB, EnableTagging="false")
SPOKE_WITH_KEYS = spoke(THE_HUB, DecryptCode="true")
SPOKE_WITH_ONE_KEY = spoke(THE_HUB, DecryptCode="true", CodeKeyArns=CODE_KEY)
SPOKE_IN_THE_HUB = spoke(THE_HUB, account=HUB)
SPOKE_ON_A_PATH = spoke(HUB_ON_A_PATH, SpokeRolePath="/security/scan/")

WORKER = session(THE_HUB, "TaskRole", "the worker", called="0f3c2a9d41e84b6c9b1f2d3e4a5b6c7d")
EXECUTION = session(THE_HUB, "ExecutionRole", "the execution role")
SCHEDULER = session(THE_HUB, "SchedulerRole", "the scheduler's role")
FORWARDER = session(THE_SPOKE, "ForwardRole", "the spoke's forward role")
FORWARDER_IN_THE_HUB = session(SPOKE_IN_THE_HUB, "ForwardRole", "the forward role in the hub's account")
SPOKE_SESSION = session(THE_SPOKE, "SpokeRole", "the worker in the spoke", called="scanhub-worker")
HUB_ADMINISTRATOR = administrator(HUB, "an administrator of the hub's account")
SPOKE_ADMINISTRATOR = administrator(SPOKE, "an administrator of the spoke")
ALL_OF_THE_WORKER = replace(HUB_ADMINISTRATOR, arn=WORKER.arn, name="the worker, were it allowed everything")
"""What a trust policy says to the worker, whatever the worker's own policy says."""

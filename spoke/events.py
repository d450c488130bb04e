"""The bodies of the queues' messages: an EventBridge envelope -> `Change`, `Ignored` or `Malformed`."""

from spoke import cloudtrail, own_requests
from spoke.changes import Ignored, IgnoredReason, Reading
from spoke.envelope import Faulty, field, parsed, shown, text_of

_READERS = {
    cloudtrail.SOURCE: (cloudtrail.DETAIL_TYPE, cloudtrail.read),
    own_requests.SOURCE: (own_requests.DETAIL_TYPE, own_requests.read),
}


def read(body: str) -> Reading:
    """What the body of a message says. Never raises.

    Args:
        body: An EventBridge envelope: a CloudTrail record of Lambda, or a request of our own.
    """
    try:
        envelope = parsed(body)
        source = text_of(envelope, "source")
        if source not in _READERS:
            return Ignored(IgnoredReason.FOREIGN_SOURCE, shown(source))
        expected, reader = _READERS[source]
        detail_type = text_of(envelope, "detail-type")
        if detail_type != expected:
            return Ignored(IgnoredReason.FOREIGN_DETAIL_TYPE, shown(detail_type))
        return reader(envelope, field(envelope, "detail", dict))
    except Faulty as faulty:
        return faulty.fault

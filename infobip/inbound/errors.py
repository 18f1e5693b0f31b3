"""Why a whole body could not be read. A single bad item is never an error: it is a `Fault`.

InboundError
|-- NotReadable         400  the body is neither JSON nor XML nor a form
|   `-- TooDeep         400  it is, but nested far deeper than any report
|-- NotInfobip          400  it can be read, but Infobip did not write it
`-- UnsupportedMedia    415  its media type can hold no report
"""

from typing import ClassVar


class InboundError(Exception):
    """A callback body that holds nothing for us. `str(error)` says what was expected, without quoting the body."""

    code: ClassVar[str] = "inbound"
    """Stable name for programs."""
    status: ClassVar[int] = 400
    """The HTTP status to answer with."""
    next_step: ClassVar[str] = "Send what Infobip sent, unchanged."
    """What the person who sees it should do."""


class NotReadable(InboundError):
    """The body is not well-formed in any format that Infobip uses."""

    code = "not_readable"
    next_step = "Check that no proxy cuts or rewrites the body, and that Content-Type names its true format."


class TooDeep(NotReadable):
    """The body nests deeper than `infobip.inbound.limits.MAX_DEPTH`."""

    code = "too_deep"
    next_step = "Look at who sends this: Infobip nests a handful of levels."


class NotInfobip(InboundError):
    """The body is well-formed, but none of its parts looks like anything that Infobip documents."""

    code = "not_infobip"
    next_step = 'Point only Infobip at this URL. Its reports come as {"results": [...]} or as one known event object.'


class UnsupportedMedia(InboundError):
    """The media type is one that cannot hold a report, such as an image."""

    code = "unsupported_media"
    status = 415
    next_step = "Set the content type of the webhook or of notifyContentType to application/json or application/xml."

"""A message without its files: what was written stays, and that there were files."""

from __future__ import annotations

from collections.abc import Collection
from email.generator import BytesGenerator
from email.policy import compat32
from io import BytesIO

from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.message.parts import OverLimitError, Part, read

_ENVELOPE = Envelope("inject")


def without(raw: bytes, parts: Collection[int]) -> bytes | None:
    """The message with nothing in these parts, by `Attachment.part`; None where that cannot be done for sure.

    Each keeps its header fields. What was signed of it is signed no more.
    """
    try:
        root = read(raw)
        for number, part in enumerate(root.walk()):
            if isinstance(part, Part) and not part.is_multipart():
                part.write_whole(b"" if number in parts else None)
        made = written_out(root, b"\r\n" if b"\r\n" in raw else b"\n")
    except (OverLimitError, ValueError, LookupError):
        return None
    before, after = (mime.parse(one, _ENVELOPE) for one in (raw, made))
    same = (before.text, before.html, before.headers) == (after.text, after.html, after.headers)
    empty = not any(file.size for file in after.attachments if file.part in parts)
    return made if same and empty else None


def written_out(root: Part, end: bytes) -> bytes:
    """The bytes of a message whose parts are ready to be written out. end: of its lines."""
    made = BytesIO()
    policy = compat32.clone(linesep=end.decode(), max_line_length=0)
    BytesGenerator(made, mangle_from_=False, maxheaderlen=0, policy=policy).flatten(root)
    return made.getvalue()

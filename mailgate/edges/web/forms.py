"""The body of a form: its fields and its files, within bounds that stand before anything is read."""

from __future__ import annotations

from dataclasses import replace

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mailgate.core.mail import Part
from mailgate.edges.web.asking import Ask

_SMALL = 64 * 1024
_MOST_FILES = 20
_MOST_FIELDS = 60
# What a file of a mail costs more than its bytes (base64), and some room for the text.
_OF_A_MAIL = 0.7


class FormTooBig(Exception):
    """More than the desk takes by mail."""


def most(ask: Ask) -> int:
    """The octets that a form of this person may have."""
    return round(ask.desk.rules.smtp.max_size * _OF_A_MAIL) if ask.session else _SMALL


async def read(request: Request, ask: Ask) -> Ask:
    """The request with its fields and files. Raises FormTooBig.

    Who is not signed in sends an address and no more; others what a mail may hold. The server sees to it that a
    body is not longer than it says.
    """
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > most(ask):
        raise FormTooBig
    files, fields = [], {}
    try:
        async with request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS) as form:
            for name, value in form.multi_items():
                if not isinstance(value, UploadFile):
                    fields[name] = value
                elif value.filename:
                    kind = value.content_type or "application/octet-stream"
                    files.append(Part(value.filename, kind, await value.read()))
    except HTTPException as error:  # more parts, or longer fields, than a form of ours has
        raise FormTooBig from error
    return replace(ask, form=fields, files=tuple(files))

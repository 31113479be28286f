"""Plays the story: hands each mail in, shows what comes of it, and stops where it is not as it must be."""

from __future__ import annotations

import secrets
import time
from contextlib import closing
from dataclasses import replace

from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime
from mailgate.demo.cast import cast
from mailgate.demo.desk import RunningDesk
from mailgate.demo.letters import Letter
from mailgate.demo.outcome import differences, told
from mailgate.demo.screen import Screen
from mailgate.demo.stage import Stage
from mailgate.demo.story import STORY, Past, Scene
from mailgate.errors import Refused
from mailgate.opening import open_store
from mailgate.service.take import utc_now


def play(stage: Stage, screen: Screen, pause: float) -> None:
    """Play all of it. pause: seconds before each scene. Raises Refused where something does not come."""
    with closing(open_store(stage.data)) as store:
        performance = _Performance(stage, RunningDesk(stage, store), screen)
        performance.introduce()
        performance.sell()
        for number, scene in enumerate(STORY, 2):
            time.sleep(pause)
            performance.act(number, scene)
        time.sleep(pause)
        performance.close(len(STORY) + 2)


class _Performance:
    """One run through the story: who plays, and what has happened so far."""

    def __init__(self, stage: Stage, desk: RunningDesk, screen: Screen) -> None:
        self._stage = stage
        self._desk = desk
        self._screen = screen
        self._cast = cast(stage.rules)
        self._past = Past(secrets.token_hex(5), utc_now())
        self._standing = desk.standing(self._cast.client)

    def introduce(self) -> None:
        """Say where it is played and by whom."""
        who, place = self._cast, f"{self._stage.host}:{self._stage.port}"
        self._screen.title("mailgate demo: one ticket, told in mails")
        self._screen.text(
            f"Played over SMTP at {place} on {self._stage.told}.",
            f"{who.person.first_name} writes for the client {who.client_name} ({who.person.address});"
            f" {who.technician.name} is the technician ({who.technician.address});"
            f" the desk is {who.desk.address}.",
            "▶ goes to the desk, ◀ comes from it, ✔ is what has changed.",
        )

    def sell(self) -> None:
        """The client buys time, as the admin books it."""
        self._screen.scene(
            1,
            "The client has bought time",
            "Time is sold in packages and spent in whole minutes. The admin books what was paid:",
        )
        packages = self._stage.rules.packages
        if not packages:
            self._screen.outcome("The rules have no package to sell, so none is sold.")
            return
        package = next((name for name, one in packages.items() if one.first), next(iter(packages)))
        forced = () if packages[package].first else ("--force",)
        words = ("sell", self._cast.client, package, "--paid-by", "transfer", *forced)
        self._screen.command(words, self._desk.verb(*words))
        self._show(self._desk.mails_of_sale())
        self._standing = self._desk.standing(self._cast.client)

    def act(self, number: int, scene: Scene) -> None:
        """Play one scene."""
        names = {"person": self._cast.person, "technician": self._cast.technician, "stranger": self._cast.stranger}
        first_names = {role: somebody.first_name for role, somebody in names.items()}
        self._screen.scene(number, scene.title.format(**first_names), scene.why.format(**first_names))
        self._past = replace(self._past, now=utc_now())
        letter = scene.letter(self._cast, self._past)
        mail = mime.parse(letter.raw, Envelope("smtp", letter.sender, (letter.to,)))
        self._screen.mail(mail, "in", known=letter in self._past.letters)
        kept = self._desk.hand_in(letter)
        mails = self._desk.mails_of(kept)
        self._show(mails)
        self._remember(letter, mails)
        before, self._standing = self._standing, self._desk.standing(self._cast.client, self._past.letters, kept)
        self._past = replace(self._past, ticket_tag=self._standing.tag)
        self._screen.outcome(told(before, self._standing, self._cast.client_name))
        if wrong := [*differences(scene.then, mails, self._standing, self._cast)]:
            raise Refused(f"scene {number} did not end as it must: {'; '.join(wrong)}")

    def close(self, number: int) -> None:
        """Prove the books, and say where everybody stands."""
        self._screen.scene(
            number,
            "The books are proved",
            "A balance is never a stored number but the sum of entries that nobody can change; audit adds"
            " everything up again, and looks for anything that hangs in the air.",
        )
        for words in (("audit",), ("balance",)):
            self._screen.command(words, self._desk.verb(*words))

    def _show(self, mails: list[Mail]) -> None:
        for mail in mails:
            self._screen.mail(mail, "out")
        if not mails:
            self._screen.silence("no mail goes out, to anybody")

    def _remember(self, letter: Letter, mails: list[Mail]) -> None:
        """Whoever the desk gave the ticket to is the technician of the story."""
        past = self._past
        self._past = replace(past, letters=(*past.letters, letter), mails=(*past.mails, *mails))
        first = next((mail.to[0] for mail in mails if self._cast.role(mail.to[0]) == "technician"), "")
        self._cast = self._cast.answered_by(first)

"""Jinja as the desk's mails use it: only values within reach, and the shared words made once.

Each mail imports files of macros, "with context" since filters look up the language and the zone.
Jinja runs such a file anew for each import, which was a fifth of what a mail costs; here it is run once,
and shown the mail at hand.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from typing import Any

from jinja2 import Template, meta
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment


class MailTemplate(Template):
    """A file of templates/. words: its macros, where they are the same for every mail."""

    environment: MailEnvironment
    _words: TemplateModule | None = None

    def render(self, *values: Any, **named: Any) -> str:
        """What it says with these values, which imported macros see through filters alone."""
        given: dict[str, Any] = dict(*values, **named)
        with self.environment.showing(given):
            return super().render(given)

    def make_module(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002 - Jinja's names
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> TemplateModule:
        """What an import gets."""
        if self._words is None and self.environment.holds_only_words(self.name):
            self._words = super().make_module(self.environment.at_hand, shared=True)
        return self._words or super().make_module(vars, shared, locals)


class MailEnvironment(ImmutableSandboxedEnvironment):
    """Nothing that a template says can change a value or leave the values it was given.

    at_hand: the values of the mail that is being written.
    """

    template_class = MailTemplate

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.at_hand: dict[str, Any] = {}
        self._only_words: dict[str, bool] = {}
        self._one_at_a_time = threading.RLock()

    @contextmanager
    def showing(self, values: Mapping[str, Any]) -> Iterator[None]:
        """Have the words see these values; one mail is written at a time."""
        with self._one_at_a_time:
            self.at_hand.clear()
            self.at_hand.update(values)
            yield

    def holds_only_words(self, name: str | None) -> bool:
        """Whether a file reads no value of a mail itself, nor does any that it names."""
        if name is None or self.loader is None:
            return False
        if name not in self._only_words:
            tree = self.parse(self.loader.get_source(self, name)[0], name)
            named = list(meta.find_referenced_templates(tree))
            self._only_words[name] = not meta.find_undeclared_variables(tree) and all(map(self.holds_only_words, named))
        return self._only_words[name]

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Jinja's chain of them is gone through one by one for each mail."""
        return {**self.globals, **(d or {})}

    def call(self, context: Context, called: Any, /, *args: Any, **named: Any) -> Any:
        """The same at once for what templates call most: macros, of which none is unsafe."""
        if type(called) is Macro and not named:  # by name comes also what Jinja keeps of a loop
            return called(context.eval_ctx, *args)
        return super().call(context, called, *args, **named)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """The same answer at once for what templates look at most: the fields of our own values."""
        if is_dataclass(type(obj)) and not attr.startswith("_") and not callable(value):
            return True
        return super().is_safe_attribute(obj, attr, value)

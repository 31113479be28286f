"""mailgate: an email-first help desk that sells prepaid minutes."""

__version__ = "0.1.0"

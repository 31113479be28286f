"""A story in mails, played against a real desk: `story` says what happens, `player` makes it happen."""

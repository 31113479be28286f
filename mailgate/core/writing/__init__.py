"""Outgoing mails: from values to RFC 5322 bytes."""

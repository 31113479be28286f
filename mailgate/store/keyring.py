"""Keys, and what they seal: mails as they came and as they go, and access data.

XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, by libsodium): a random nonce for each value, and what it is for as
associated data. Several keys may be at hand: the newest seals, each opens what it sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from mailgate.errors import MailgateError, Refused

KEY_BYTES = 32
# The name of no key: what an earlier version stored, in clear.
CLEAR = ""


class KeyLostError(MailgateError):
    """What was sealed cannot be opened: its key is not there."""


class DamagedError(Refused):
    """What was sealed is not what it was, or was sealed for something else."""


class Key:
    """One key of 32 bytes. name: what the store calls it by, from which nobody learns it."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._cipher = Aead(secret)
        self._digests = blake2b(b"digest", key=secret).digest()[:KEY_BYTES]
        self.name = blake2b(b"name", key=secret, digest_size=8).hexdigest()

    def seal(self, data: bytes, purpose: str) -> bytes:
        return bytes(self._cipher.encrypt(data, purpose.encode()))

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Raises DamagedError."""
        try:
            return self._cipher.decrypt(sealed, purpose.encode())
        except CryptoError:
            raise DamagedError(f"the store is damaged: what is sealed as {purpose} was changed") from None

    def digest(self, data: bytes) -> str:
        """Tells the same bytes again; without the key nobody can try what they may have been."""
        return blake2b(data, key=self._digests, digest_size=32).hexdigest()


class Keyring:
    """The keys at hand, newest first; one for all connections of a process. fault: why nothing can be sealed."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._by_name = {key.name: key for key in map(Key, keys)}
        self.fault = "" if keys else "no key is at hand"

    def take_up(self, other: Keyring) -> None:
        """Go on with the keys of another."""
        self._by_name, self.fault = other._by_name, other.fault

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def newest(self) -> Key:
        """Raises KeyLostError where nothing can be sealed."""
        if self.fault:
            raise KeyLostError(self.fault)
        return next(iter(self._by_name.values()))

    def open(self, name: str, data: bytes, purpose: str) -> bytes:
        """What was sealed under the key of that name, or what is there in clear. Raises KeyLostError, DamagedError."""
        if name == CLEAR:
            return data
        key = self._by_name.get(name)
        if key is None:
            raise KeyLostError(f"the key {name} is not there")
        return key.open(data, purpose)

"""One TLS context for all, as long as the machine trusts the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailgate.edges import tls
from tests.servers import Certificate


def test_connections_share_a_context_until_the_list_of_whom_to_trust_changes(
    tmp_path: Path, own_certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(own_certificate.cert.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    first = tls.context()
    assert tls.context() is first
    trusted.write_bytes(own_certificate.cert.read_bytes() * 2)
    assert tls.context() is not first
    trusted.unlink()
    assert tls.context().get_ca_certs() == []

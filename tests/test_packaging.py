"""What a user installs: the wheel has its templates, and nothing names where packages come from."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_wheel_brings_a_working_mailgate_with_its_templates(tmp_path: Path):
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", tmp_path, ROOT]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("mailgate-*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel], check=True)
    # The dependencies are those of this environment; the package itself must come from the wheel.
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "dependencies.pth").write_text(libraries)
    ran = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-m", "mailgate", "--rules", ROOT / "rules.toml", "check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (site / "mailgate" / "templates" / "es" / "ack.txt").exists()


def test_locks_pin_every_version_with_hashes_and_name_no_registry():
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_no_file_of_the_repository_names_a_host_of_a_package_registry():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    # Put together, so that this file does not name them.
    hosts = ["pypi" + ".org", "python" + "hosted", "npm" + "js", "deb" + "ian.org"]
    found = [
        (name, host)
        for name in tracked.split()
        if (ROOT / name).is_file()
        for host in hosts
        if host.encode() in (ROOT / name).read_bytes()
    ]
    assert found == []

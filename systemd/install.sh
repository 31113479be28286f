#!/bin/sh
# Install mailgate for the whole machine, or bring an installed one up to this version: `make install`.
# The rules in /etc/mailgate and the data in /var/lib/mailgate are never touched.
#
#   DESTDIR   everything goes below it, and nothing of the running system is changed
#   PYTHON    with which the program runs, 3.11 or newer
set -eu

root=${DESTDIR:-}
program=$root/opt/mailgate
etc=$root/etc/mailgate
source=$(cd "$(dirname "$0")/.." && pwd)

[ -n "$root" ] || [ "$(id -u)" = 0 ] || { echo 'make install needs root: sudo make install' >&2; exit 1; }

echo "Installing the program into $program …"
[ -x "$program/bin/python" ] || "${PYTHON:-python3}" -m venv "$program"
pip="$program/bin/python -m pip --disable-pip-version-check --quiet"
$pip install --require-hashes --requirement "$source/requirements.lock"
$pip install --no-deps --no-build-isolation --force-reinstall "$source"
"$program/bin/python" -m compileall -q "$program/lib" || true
install -D -m 644 -t "$program/share/doc/mailgate" "$source/docs/operations.md" "$source/README.md" "$source/CHANGELOG.md"

for unit in "$source"/systemd/*.service "$source"/systemd/*.socket "$source"/systemd/*.timer; do
  install -D -m 644 -t "$root/etc/systemd/system" "$unit"
done
install -D -m 644 "$source/systemd/mailgate.sysusers" "$root/usr/lib/sysusers.d/mailgate.conf"
install -D -m 644 "$source/systemd/mailgate.tmpfiles" "$root/usr/lib/tmpfiles.d/mailgate.conf"
install -D -m 755 "$source/systemd/mailgate.sh" "$root/usr/local/bin/mailgate"
install -D -m 644 "$source/rules.toml" "$program/share/doc/mailgate/rules.toml"

if [ -n "$root" ]; then
  # It is made here and used elsewhere: scripts are to find the Python beside them, not the one below DESTDIR.
  for script in $(grep -lI "^#!$program/bin/python" "$program"/bin/*); do
    {
      printf '%s\n' '#!/bin/sh' "'''exec' \"\$(dirname -- \"\$(realpath -- \"\$0\")\")/python\" \"\$0\" \"\$@\"" "' '''"
      tail -n +2 "$script"
    } >"$script.new"
    cat "$script.new" >"$script" # which keeps its mode
    rm "$script.new"
  done
  mkdir -p "$etc"
  exit 0
fi

if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers mailgate.conf
elif ! id -u mailgate >/dev/null 2>&1; then
  useradd --system --home-dir /var/lib/mailgate --shell /usr/sbin/nologin mailgate
fi
install -d -m 750 -o root -g mailgate "$etc"
install -d -m 750 -o root -g mailgate "$etc/secrets"
install -d -m 700 -o mailgate -g mailgate /var/lib/mailgate /var/backups/mailgate
runuser -u mailgate -- "$program/bin/mailgate" --version >/dev/null || {
  echo "The user mailgate cannot run $program/bin/python: take a Python that all may read, e.g. make install PYTHON=/usr/bin/python3" >&2
  rm -rf "$program"
  exit 1
}
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart mailgate.service
fi

if [ -e "$etc/rules.toml" ]; then
  mailgate check
  exit
fi
cat <<'NEXT'
Next:
  mailgate init                                    asks a few questions and writes /etc/mailgate/rules.toml
  mailgate check --online                          until all is good
  systemctl enable --now mailgate mailgate-backup.timer
  mailgate status
NEXT

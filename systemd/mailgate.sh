#!/bin/sh
# /usr/local/bin/mailgate: the command line on the desk of this machine. As root it works as the desk's own
# user, so that what it writes is the daemon's to read; but for the verbs that write somewhere else.
run="/opt/mailgate/bin/mailgate --rules /etc/mailgate/rules.toml --data /var/lib/mailgate"
case "$(id -u):${1:-}" in
  0:init | 0:client | 0:backup | 0:restore) exec $run "$@" ;;
  0:*) exec runuser -u mailgate -- $run "$@" ;;
  *) exec $run "$@" ;;
esac

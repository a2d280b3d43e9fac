#!/bin/sh
# Takes away what install.sh installed: FOLDER/uninstall.sh [--purge]
# Configuration and state stay without --purge. The users stay in any case: files of theirs may be elsewhere.
set -eu

prefix=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
purge=no
case "${1:-}" in
  '') ;;
  --purge) purge=yes ;;
  *)
    echo "uninstall.sh: unknown option $1; usage: $0 [--purge]" >&2
    exit 1
    ;;
esac
if [ "$(id -u)" -ne 0 ]; then
  echo "uninstall.sh: only root can take it away; type: sudo $0" >&2
  exit 1
fi
# Also keeps a copy of this script in an unpacked archive from deleting what lies around it.
if ! grep -q "^ExecStart=$prefix/bin/foundry-agent " /etc/systemd/system/foundry-agent.service 2>/dev/null; then
  echo "uninstall.sh: no foundry-agent is installed in $prefix; type: systemctl cat foundry-agent" >&2
  exit 1
fi

# Asked while it still runs. Where nobody answers it is not known, and then said so.
registered=unknown
told=$(timeout 10 "$prefix/bin/foundry-agent" status --json 2>/dev/null) || true
case "$told" in
  *'"enrolled": true'*) registered=yes ;;
  *'"control_apis"'*) registered=no ;;
esac

units="foundry-agent-helper.socket foundry-agent.service foundry-agent-helper.service"
if [ -d /run/systemd/system ]; then
  # shellcheck disable=SC2086 # one word each
  systemctl stop $units || true
  systemctl disable --quiet foundry-agent-helper.socket foundry-agent.service || true
else
  rm -f /etc/systemd/system/sockets.target.wants/foundry-agent-helper.socket
  rm -f /etc/systemd/system/multi-user.target.wants/foundry-agent.service
fi
# A slot's light that is on, and whatever else this node holds; bounded.
if "$prefix/bin/foundry-agent" helper --help 2>/dev/null | grep -q -e ' --release'; then
  timeout --kill-after=5 30 "$prefix/bin/foundry-agent" helper --release || true
fi
if [ -e /var/lib/foundry-agent-helper/lights.json ]; then
  echo "uninstall.sh: the light of a drive's slot may still be on; see /var/lib/foundry-agent-helper/lights.json" >&2
  purge=no
fi

for unit in $units; do rm -f "/etc/systemd/system/$unit"; done
rm -f /etc/sysusers.d/foundry-agent.conf /etc/tmpfiles.d/foundry-agent.conf
rm -rf /run/foundry-agent
if [ "$purge" = yes ]; then
  rm -rf /etc/foundry-agent /var/lib/foundry-agent /var/lib/foundry-agent-helper
  echo "uninstall.sh: configuration and state are gone; the user foundry-agent and the group foundry-admin stay."
  echo "uninstall.sh: When no file of theirs is left anywhere: userdel foundry-agent; groupdel foundry-admin"
else
  echo "uninstall.sh: configuration (/etc/foundry-agent) and state (/var/lib/foundry-agent*) stay; they can be deleted"
fi
case "$registered" in
  yes) echo "uninstall.sh: this node stays registered with its control APIs; remove it there if it is gone for good" ;;
  unknown) echo "uninstall.sh: if this node is registered with a control API, remove it there if it is gone for good" ;;
esac
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
# Only what install.sh put there, file by file; the folder itself goes when nothing else is in it.
rm -rf "$prefix/man" "$prefix/completion"
rm -f "$prefix/bin/foundry-agent" "$prefix/LICENSE" "$prefix/THIRD-PARTY-LICENCES.txt" "$prefix/uninstall.sh"
rmdir "$prefix/bin" "$prefix" 2>/dev/null || true

#!/bin/sh
# Installs foundry-agent on a host without dpkg: ./install.sh [--prefix FOLDER] [--no-start]
#
# Writes only to /etc, /var, /run and FOLDER (/opt/foundry-agent), so /usr may be read-only. Run again with a newer
# release it is an upgrade: configuration and state stay. `FOLDER/uninstall.sh` takes it away again.
set -eu
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prefix=/opt/foundry-agent
start=yes

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case "$1" in
    --prefix)
      [ $# -ge 2 ] || fail "--prefix needs a folder"
      prefix=$2
      shift
      ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --no-start) start=no ;;
    *) fail "unknown option $1; usage: ./install.sh [--prefix FOLDER] [--no-start]" ;;
  esac
  shift
done
prefix=${prefix%/}

[ "$(id -u)" -eq 0 ] || fail "only root can install; type: sudo $0"
case "$prefix" in
  *[!A-Za-z0-9_./-]* | */../* | */..) fail "--prefix: only letters, digits and _ . / - in the folder's name" ;;
  /home | /home/* | /root | /root/* | /run/* | /tmp/* | /var/tmp/*)
    fail "the services can't see $prefix; choose a folder outside of /home, /root, /run and /tmp"
    ;;
  /?*) ;;
  *) fail "--prefix needs an absolute folder" ;;
esac
[ ! -e /usr/bin/foundry-agent ] || fail "the package foundry-agent is installed here; type: apt remove foundry-agent"
# Else a second folder would be left behind, and with it an executable that nobody updates.
before=$(sed -n 's|^ExecStart=\(/.*\)/bin/foundry-agent run .*|\1|p' /etc/systemd/system/foundry-agent.service 2>/dev/null || true)
[ -z "$before" ] || [ "$before" = "$prefix" ] ||
  fail "it is installed in $before already; type: $0 --prefix $before"

# Root runs what lies there: nobody else may be able to put something in its place.
mkdir -p "$prefix/bin"
folder=$prefix/bin
while :; do
  # shellcheck disable=SC2012,SC2046 # its mode, links and owner are the first words
  set -- $(ls -ldn -- "$folder/")
  case "$1" in
    ?????w* | ????????w*) fail "$folder can be written by others than root; type: chmod go-w $folder" ;;
  esac
  [ "${3:-0}" = 0 ] || fail "$folder does not belong to root; type: chown root $folder"
  [ "$folder" = / ] && break
  folder=$(dirname -- "$folder")
done

# put MODE FROM TO: first beside its place, so that a running program keeps its file. dd in small pieces: a file
# written at once lies in the page cache in large ones, which costs a running agent memory.
put() {
  rm -f "$3.new"
  dd if="$2" of="$3.new" bs=64k 2>/dev/null
  chmod "$1" "$3.new"
  chown 0:0 "$3.new"
  mv -f "$3.new" "$3"
}

put 755 "$here/foundry-agent" "$prefix/bin/foundry-agent"
"$prefix/bin/foundry-agent" version >/dev/null ||
  fail "the executable does not run here; it needs glibc 2.28, libstdc++, libatomic and a file system without noexec"
put 755 "$here/uninstall.sh" "$prefix/uninstall.sh"
for file in LICENSE THIRD-PARTY-LICENCES.txt; do put 644 "$here/$file" "$prefix/$file"; done
for kind in man completion; do
  [ -d "$here/$kind" ] || continue
  mkdir -p "$prefix/$kind"
  for file in "$here/$kind"/*; do put 644 "$file" "$prefix/$kind/${file##*/}"; done
done

mkdir -p /etc/systemd/system /etc/tmpfiles.d /etc/sysusers.d /etc/foundry-agent/conf.d /etc/foundry-agent/facts.d
put 644 "$here/systemd/sysusers.conf" /etc/sysusers.d/foundry-agent.conf
put 644 "$here/systemd/tmpfiles.conf" /etc/tmpfiles.d/foundry-agent.conf
for unit in foundry-agent.service foundry-agent-helper.service foundry-agent-helper.socket; do
  sed "s|/usr/bin/foundry-agent|$prefix/bin/foundry-agent|g" "$here/systemd/$unit" >"/etc/systemd/system/$unit.new"
  chmod 644 "/etc/systemd/system/$unit.new"
  mv -f "/etc/systemd/system/$unit.new" "/etc/systemd/system/$unit"
done

# A changed file of the administrator's is never overwritten; the new one lies beside it.
for file in config.toml policy.toml; do
  if [ ! -e "/etc/foundry-agent/$file" ]; then
    put 644 "$here/$file" "/etc/foundry-agent/$file"
  elif ! cmp -s "$here/$file" "/etc/foundry-agent/$file"; then
    put 644 "$here/$file" "/etc/foundry-agent/$file.dist"
    echo "install.sh: /etc/foundry-agent/$file stays as it is; the one of this release is $file.dist"
  fi
done

if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers /etc/sysusers.d/foundry-agent.conf
elif ! grep -q '^foundry-agent:' /etc/passwd; then
  { grep -q '^foundry-admin:' /etc/group || groupadd --system foundry-admin; } &&
    useradd --system --user-group --no-create-home --home-dir /var/lib/foundry-agent --shell /usr/sbin/nologin foundry-agent ||
    fail "the user foundry-agent and the group foundry-admin can't be made; make them and start again"
fi
if command -v systemd-tmpfiles >/dev/null; then
  systemd-tmpfiles --create /etc/tmpfiles.d/foundry-agent.conf
else
  mkdir -p /run/foundry-agent /var/lib/foundry-agent /var/lib/foundry-agent-helper
  chown foundry-agent:foundry-agent /run/foundry-agent /var/lib/foundry-agent
  chmod 755 /run/foundry-agent
  chmod 700 /var/lib/foundry-agent /var/lib/foundry-agent-helper
fi

if [ "$start" = yes ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet foundry-agent-helper.socket foundry-agent.service
  # After an upgrade the helper of the version before must not answer the new agent.
  systemctl stop foundry-agent-helper.service
  systemctl restart foundry-agent-helper.socket foundry-agent.service
  echo "install.sh: installed and started; type: $prefix/bin/foundry-agent status"
else
  echo "install.sh: installed, not started; type: systemctl enable --now foundry-agent-helper.socket foundry-agent"
fi

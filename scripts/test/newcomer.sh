#!/usr/bin/env bash
# What the README tells a newcomer to do, in a fresh clone of this checkout and with an empty home. As root:
#
#   newcomer.sh root   in a folder that is closed to everybody else
#   newcomer.sh user   as a user who is made up for it and removed again
#
# Its last line is `N passed, N failed, N skipped`. Only the clone is tested: what is not committed is not there.
set -u
cd "$(dirname "$0")/../.." || exit 1

who=${1:-}
user=
home=
passed=0
failed=0
skipped=0

# Process ids and command lines of the user; not of those that are over and wait for a parent that never asks.
processes() {
  local uid folder
  uid=$(id -u "$user") || return
  for folder in /proc/[0-9]*; do
    if [ "$(stat -c %u "$folder" 2>/dev/null)" = "$uid" ] && grep -q '^State:[[:space:]][^ZX]' "$folder/status" 2>/dev/null; then
      echo "${folder#/proc/} $(tr '\0' ' ' 2>/dev/null <"$folder/cmdline")"
    fi
  done
}

take_user_away() {
  processes | while read -r id _; do kill -KILL "$id"; done
  userdel --force "$user"
}

tidy_up() {
  if [ -n "$user" ]; then take_user_away; fi
  if [ -n "$home" ]; then rm -rf "$home"; fi
}
trap tidy_up EXIT

conclude() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}

# In the clone. From where packages come is the caller's setting, in whatever file of his.
registry=$(npm config get registry)
run() {
  local as=() own=("HOME=$home" "USER=${user:-root}" "LOGNAME=${user:-root}" "npm_config_registry=$registry")
  if [ -n "$user" ]; then as=(setpriv "--reuid=$user" "--regid=$user" --init-groups); fi
  (cd "$home/foundry-agent" && "${as[@]}" env -u XDG_STATE_HOME -u XDG_CONFIG_HOME -u XDG_RUNTIME_DIR "${own[@]}" "$@") 9>&-
}

if [ "$who" != root ] && [ "$who" != user ]; then
  echo "usage: $0 root|user" >&2
  exit 2
fi
# One at a time. Whoever has the lock is the only one that runs, so what is there from before belongs to a run that was
# killed or lost its power: its user, processes and folders would be in the way of this one, and of every one after it.
exec 9>/var/tmp/newcomer.lock
if ! flock --nonblock 9; then
  echo "another $0 runs: wait for its end, or end it"
  failed=1 && conclude
fi
user=foundry-newcomer
if id "$user" >/dev/null 2>&1; then take_user_away; fi
user=
rm -rf /var/tmp/newcomer.??????

home=$(mktemp -d "/var/tmp/newcomer.XXXXXX") || exit 1
if [ "$who" = user ]; then
  user=foundry-newcomer
  useradd --home-dir "$home" --no-create-home --shell /bin/sh "$user" || { user= && failed=1 && conclude; }
fi
# Nobody else may enter (mktemp makes it so): what runs as somebody else must not need what is in there.
git clone -q . "$home/foundry-agent" || { failed=1 && conclude; }
# What npm fetched before need not be fetched again.
cache=$(npm config get cache)
if [ -d "$cache/_cacache" ]; then mkdir "$home/.npm" && cp -r "$cache/_cacache" "$home/.npm/"; fi
if [ -n "$user" ]; then chown -R "$user:" "$home"; fi

if ! run node --version; then
  echo "$who has no Node in PATH ($PATH): nothing was tried"
  skipped=1 && conclude
fi

run npm start -- --once | tee "$home/start"
if [ "${PIPESTATUS[0]}" -eq 0 ] && grep -q '^The sandbox accepted the report' "$home/start"; then
  passed=$((passed + 1))
else
  echo "npm start -- --once: the sandbox did not accept a report"
  failed=$((failed + 1))
fi

# What it offers to be typed in another terminal, typed as it stands.
run setsid sh -c 'echo $$ >"$HOME/pid"; exec npm start' >"$home/shown" 2>&1 &
for _ in $(seq 600); do
  if grep -q '^Running until Ctrl-C' "$home/shown"; then break; fi
  sleep 0.1
done
sed -n '/^In another terminal/,/^$/s/^  //p' "$home/shown" >"$home/lines"
operation=
# shellcheck disable=SC2162 # a line that ends in a backslash goes on in the next one
while read line; do
  # What an answer named before is put in by whoever types it.
  line=${line//op_…/$operation}
  if answer=$(run sh -c "$line" </dev/null 2>&1) && [[ $answer != *'"error":'* ]]; then
    passed=$((passed + 1))
    operation=$(grep -o 'op_[0-9a-f]*' <<<"$answer" | tail -n 1)
  else
    echo "npm start offers a line that fails: $line: $answer"
    failed=$((failed + 1))
  fi
done <"$home/lines"
if [ "$(wc -l <"$home/lines")" -lt 4 ]; then
  echo "npm start offers nothing to type: $(cat "$home/shown")"
  failed=$((failed + 1))
fi
kill -INT -- "-$(cat "$home/pid")"
wait

run npm test | tee "$home/test"
status=${PIPESTATUS[0]}
if [[ $(tail -n 1 "$home/test") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
  passed=$((passed + BASH_REMATCH[1]))
  failed=$((failed + BASH_REMATCH[2]))
  skipped=$((skipped + BASH_REMATCH[3]))
  if [ "$status" -ne 0 ] && [ "${BASH_REMATCH[2]}" -eq 0 ]; then failed=$((failed + 1)); fi
else
  failed=$((failed + 1))
fi

# Everything of this user was started by the tests, and they are over.
if [ -n "$user" ] && [ -n "$(processes)" ] && sleep 5 && left=$(processes) && [ -n "$left" ]; then
  echo "left behind: $left"
  failed=$((failed + 1))
fi
conclude

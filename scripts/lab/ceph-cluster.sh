#!/usr/bin/env bash
# ceph-cluster.sh start|stop|status|destroy|env DIR
# ceph-cluster.sh kill-osd|start-osd DIR ID   (SIGTERM one OSD / start it again)
#
# Exit codes: 0 ok; 3 status: not running; 64 usage; 69 ceph not installed; 75 port busy.
# A throw-away REAL Ceph cluster (1 mon, 1 mgr, N OSDs) on 127.0.0.1, as root,
# without systemd, without block devices, without touching /etc/ceph,
# /var/lib/ceph or /run/ceph. Everything lives under DIR; only processes whose
# pid files are in DIR/run (and whose cmdline really is our daemon) are signalled.
#
# Tunables (env):
#   LAB_OSDS=3            number of OSDs
#   (bluestore on a sparse file; memstore was tried and does not survive a restart)
#   LAB_OSD_SIZE=2147483648  bluestore file size in bytes (sparse; ~290 MiB is used when empty)
#   LAB_POOL_SIZE=2       replicas of pool "lab" (min_size 1 below 3, else 2)
#   LAB_PGS=16
#   LAB_HOSTS=0           0: one CRUSH host = real hostname, failure domain osd.
#                         N>0: spread OSDs over hosts "lab-a","lab-b",... (CRUSH
#                         bucket and `osd metadata` hostname); failure domain host if N>1
#   LAB_PORT=16789        mon v1 port (v2 is LAB_PORT-1); OSD/mgr ports from 16800
#   LAB_HEARTBEAT_GRACE=6 seconds until a dead OSD is reported down
#   LAB_DATA_OBJECTS=24   1 MiB objects written into the pool at first start
set -euo pipefail

usage() { echo "usage: $0 start|stop|status|destroy|env DIR | start-osd|kill-osd DIR ID" >&2; exit 64; }
[ $# -ge 2 ] || usage
CMD=$1; DIR=$2; ID=${3:-}
case "$DIR" in /*) ;; *) DIR=$PWD/$DIR ;; esac
case "$DIR" in /|/etc*|/usr*|/var/lib/ceph*|/home) echo "refusing DIR=$DIR" >&2; exit 64 ;; esac

: "${LAB_OSDS:=3}" "${LAB_OSD_SIZE:=2147483648}"
: "${LAB_POOL_SIZE:=2}" "${LAB_PGS:=16}" "${LAB_HOSTS:=0}" "${LAB_PORT:=16789}"
: "${LAB_HEARTBEAT_GRACE:=6}" "${LAB_DATA_OBJECTS:=24}"

CONF=$DIR/ceph.conf; KEYRING=$DIR/admin.keyring; RUN=$DIR/run; LOG=$DIR/log
export CEPH_CONF=$CONF
unset CEPH_ARGS CEPH_KEYRING       # CEPH_ARGS (as `env` prints it) would override each daemon's own keyring
log()  { printf '[ceph-cluster] %s\n' "$*" >&2; }
ceph_() { timeout 60 ceph --conf "$CONF" --keyring "$KEYRING" --connect-timeout 10 "$@"; }
now()  { date +%s.%N; }

# pid of a daemon, only if the process is really ours (cmdline names our conf)
pid_of() {
  local f=$RUN/$1.pid p
  [ -s "$f" ] || return 1
  p=$(tr -dc 0-9 <"$f"); [ -n "$p" ] || return 1
  [ -r "/proc/$p/cmdline" ] || return 1
  tr '\0' '\n' <"/proc/$p/cmdline" | grep -qxF -- "$CONF" || return 1
  echo "$p"
}
stop_one() {                       # stop_one NAME [SIGNAL]
  local p i; p=$(pid_of "$1") || { rm -f "$RUN/$1.pid"; return 0; }
  kill "-${2:-TERM}" "$p" 2>/dev/null || true
  for i in $(seq 1 100); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
  if kill -0 "$p" 2>/dev/null && [ "$(pid_of "$1" || true)" = "$p" ]; then
    log "$1 ($p) ignored TERM, KILL"; kill -KILL "$p" 2>/dev/null || true; sleep 0.2
  fi
  rm -f "$RUN/$1.pid"
}
names() { local i; echo mon.a; echo mgr.x; for ((i=0;i<LAB_OSDS;i++)); do echo "osd.$i"; done; }
host_of() { local c=abcdefghijklmnop; echo "lab-${c:$(( $1 % LAB_HOSTS )):1}"; }

write_conf() {
  local fsid; fsid=$(cat "$DIR/fsid" 2>/dev/null || true)
  [ -n "$fsid" ] || { fsid=$(cat /proc/sys/kernel/random/uuid); echo "$fsid" >"$DIR/fsid"; }
  local minsize=1; [ "$LAB_POOL_SIZE" -ge 3 ] && minsize=2
  local crushtype=0; [ "$LAB_HOSTS" -gt 1 ] && crushtype=1
  cat >"$CONF" <<CONF_EOF
[global]
fsid = $fsid
mon initial members = a
mon host = [v2:127.0.0.1:$((LAB_PORT-1)),v1:127.0.0.1:$LAB_PORT]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
public addr = 127.0.0.1
ms bind ipv4 = true
ms bind ipv6 = false
ms bind port min = $((LAB_PORT+11))
ms bind port max = $((LAB_PORT+120))
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
run dir = $RUN
admin socket = $RUN/\$cluster-\$name.asok
pid file = $RUN/\$name.pid
log file = $LOG/\$name.log
log to file = true
log to stderr = false
mon cluster log file = $LOG/cluster.log
mon cluster log to file = true
crash dir = $DIR/crash
keyring = $KEYRING
osd pool default size = $LAB_POOL_SIZE
osd pool default min size = $minsize
osd pool default pg num = $LAB_PGS
osd pool default pg autoscale mode = off
osd crush chooseleaf type = $crushtype
mon allow pool size one = true
mon allow pool delete = true
osd heartbeat interval = 2
osd heartbeat grace = $LAB_HEARTBEAT_GRACE
osd memory target = 939524096
osd max object name len = 256
mon data avail warn = 1
mon data avail crit = 1
mon warn on insecure global id reclaim = false
mon warn on insecure global id reclaim allowed = false
[client]
log file = /dev/null
admin socket =
[mon.a]
mon data = $DIR/mon.a
host = localhost
[mgr.x]
mgr data = $DIR/mgr.x
keyring = $DIR/mgr.x/keyring
mgr initial modules =
[osd]
osd data = $DIR/osd.\$id
keyring = $DIR/osd.\$id/keyring
osd objectstore = bluestore
bluestore block create = true
bluestore block size = $LAB_OSD_SIZE
bluestore block path =
bluestore block db path =
bluestore block wal path =
osd crush update on start = true
osd class update on start = true
CONF_EOF
  local i
  if [ "$LAB_HOSTS" -gt 0 ]; then
    for ((i=0;i<LAB_OSDS;i++)); do
      printf '[osd.%d]\ncrush location = root=default host=%s\n' "$i" "$(host_of "$i")" >>"$CONF"
    done
  fi
}

mkfs_all() {
  install -d -m 0755 "$DIR/mon.a" "$DIR/mgr.x"
  ceph-authtool --create-keyring "$KEYRING" --gen-key -n client.admin \
    --cap mon 'allow *' --cap osd 'allow *' --cap mds 'allow *' --cap mgr 'allow *' >/dev/null
  ceph-authtool --create-keyring "$DIR/mon.keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
  ceph-authtool "$DIR/mon.keyring" --import-keyring "$KEYRING" >/dev/null
  chmod 600 "$KEYRING" "$DIR/mon.keyring"
  rm -f "$DIR/monmap"
  monmaptool --create --clobber --fsid "$(cat "$DIR/fsid")" \
    --addv a "[v2:127.0.0.1:$((LAB_PORT-1)),v1:127.0.0.1:$LAB_PORT]" "$DIR/monmap" >/dev/null
  ceph-mon --conf "$CONF" --mkfs -i a --monmap "$DIR/monmap" --keyring "$DIR/mon.keyring"
}
start_mon() { ceph-mon --conf "$CONF" -i a; }
start_mgr() { ceph-mgr --conf "$CONF" -i x; }
# NODE_NAME makes the daemon report that name as "hostname" in `ceph osd metadata`
start_osd() {
  local h=; [ "$LAB_HOSTS" -gt 0 ] && h=$(host_of "$1")
  env ${h:+NODE_NAME=$h} ceph-osd --conf "$CONF" -i "$1" >>"$LOG/osd.$1.stdout" 2>&1
}
new_osd() {
  local i=$1 uuid; install -d -m 0755 "$DIR/osd.$i"
  uuid=$(cat /proc/sys/kernel/random/uuid); echo "$uuid" >"$DIR/osd.$i.uuid"
  ceph_ osd new "$uuid" "$i" >/dev/null
  ceph_ auth get-or-create "osd.$i" mon 'allow profile osd' mgr 'allow profile osd' osd 'allow *' \
    -o "$DIR/osd.$i/keyring"
}
mkfs_osd() { ceph-osd --conf "$CONF" -i "$1" --mkfs --osd-uuid "$(cat "$DIR/osd.$1.uuid")" >>"$LOG/osd.$1.stdout" 2>&1; }
in_parallel() {                    # run FUNC for every OSD id, at most 2 at once, fail if one fails
  local f=$1 i p rc=0; local -a ps=()
  for ((i=0;i<LAB_OSDS;i++)); do
    $f "$i" & ps+=($!)
    if [ ${#ps[@]} -ge 2 ]; then wait "${ps[0]}" || rc=1; ps=("${ps[@]:1}"); fi
  done
  for p in "${ps[@]}"; do wait "$p" || rc=1; done
  return $rc
}
wait_for() {                       # wait_for SECONDS DESCRIPTION CMD...
  local t=$1 d=$2; shift 2; local end=$(( $(date +%s) + t ))
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$end" ] || { log "timeout waiting for: $d"; return 1; }
    sleep 0.3
  done
}
osds_up() { [ "$(ceph_ osd stat --format json | python3 -c 'import json,sys;print(json.load(sys.stdin)["num_up_osds"])')" -ge "$LAB_OSDS" ]; }
pgs_clean() { ceph_ status --format json | python3 -c '
import json,sys
m=json.load(sys.stdin)["pgmap"]; n=m["num_pgs"]
sys.exit(0 if n and all(s["state_name"].startswith("active+clean") for s in m["pgs_by_state"]) else 1)'; }

do_start() {
  local t0 first=0 i; t0=$(now)
  for b in ceph ceph-mon ceph-mgr ceph-osd monmaptool ceph-authtool; do
    command -v "$b" >/dev/null || { log "missing $b (apt-get install ceph-mon ceph-mgr ceph-osd ceph-common)"; exit 69; }
  done
  if pid_of mon.a >/dev/null; then log "already running"; do_status; return 0; fi
  for b in "$LAB_PORT" "$((LAB_PORT-1))"; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$b") 2>/dev/null; then log "port $b is busy (another lab? set LAB_PORT)"; exit 75; fi
  done
  install -d -m 0755 "$DIR" "$RUN" "$LOG" "$DIR/crash"
  [ ${#RUN} -le 80 ] || { log "DIR path too long for unix sockets (107 bytes)"; exit 64; }
  if [ ! -e "$DIR/provisioned" ]; then
    first=1; rm -rf "$DIR"/mon.a "$DIR"/mgr.x "$DIR"/osd.*; write_conf; mkfs_all
    printf 'LAB_OSDS=%q\nLAB_OSD_SIZE=%q\nLAB_POOL_SIZE=%q\nLAB_PGS=%q\nLAB_HOSTS=%q\nLAB_PORT=%q\nLAB_HEARTBEAT_GRACE=%q\n' \
      "$LAB_OSDS" "$LAB_OSD_SIZE" "$LAB_POOL_SIZE" "$LAB_PGS" "$LAB_HOSTS" "$LAB_PORT" "$LAB_HEARTBEAT_GRACE" >"$DIR/lab.env"
  fi
  trap 'rc=$?; [ $rc -eq 0 ] || { log "start failed (rc $rc), stopping what was started"; do_stop || true; }' EXIT
  start_mon; wait_for 30 "mon quorum" ceph_ mon stat
  if [ $first = 1 ]; then
    ceph_ auth get-or-create mgr.x mon 'allow profile mgr' osd 'allow *' mds 'allow *' -o "$DIR/mgr.x/keyring"
    ceph_ mon enable-msgr2 >/dev/null 2>&1 || true
    for ((i=0;i<LAB_OSDS;i++)); do new_osd "$i"; done     # ids must be allocated in order
    in_parallel mkfs_osd
  fi
  start_mgr &
  in_parallel start_osd; wait
  wait_for 60 "$LAB_OSDS OSDs up" osds_up
  if [ $first = 1 ]; then
    ceph_ config set mon auth_allow_insecure_global_id_reclaim false >/dev/null 2>&1 || true
    ceph_ osd pool create lab "$LAB_PGS" >/dev/null 2>&1
    ceph_ osd pool application enable lab rados >/dev/null 2>&1
    wait_for 60 "PGs active+clean" pgs_clean
    head -c 1048576 /dev/urandom >"$DIR/obj.bin"
    for ((i=0;i<LAB_DATA_OBJECTS;i++)); do
      timeout 60 rados --conf "$CONF" --keyring "$KEYRING" -p lab put "obj.$i" "$DIR/obj.bin"
    done
    rm -f "$DIR/obj.bin"; : >"$DIR/provisioned"
  fi
  wait_for 90 "PGs active+clean" pgs_clean
  trap - EXIT
  log "started in $(python3 -c "print(f'{$(now)-$t0:.1f}')") s"
  log "use: export CEPH_CONF=$CONF   (admin keyring $KEYRING)"
}
do_stop() {
  local n i; for ((i=LAB_OSDS-1;i>=0;i--)); do stop_one "osd.$i"; done
  stop_one mgr.x; stop_one mon.a
  rm -f "$RUN"/*.asok; for n in $(names); do pid_of "$n" >/dev/null && { log "$n still running"; return 1; }; done
  log "stopped"
}
do_status() {
  local n p up=0 rss tot=0
  for n in $(names); do
    if p=$(pid_of "$n"); then
      rss=$(awk '/^VmRSS/{print int($2/1024)}' "/proc/$p/status"); tot=$((tot+rss)); up=$((up+1))
      printf '%-8s pid %-7s rss %s MiB\n' "$n" "$p" "$rss"
    else printf '%-8s not running\n' "$n"; fi
  done
  printf 'total rss %s MiB; disk %s\n' "$tot" "$(du -sh "$DIR" 2>/dev/null | cut -f1)"
  pid_of mon.a >/dev/null || return 3
  ceph_ status || return 1
}
if [ "$CMD" != start ] || [ -e "$DIR/provisioned" ]; then
  # a provisioned lab keeps the parameters it was made with
  [ -r "$DIR/lab.env" ] && . "$DIR/lab.env"
fi
case "$CMD" in
  start)   do_start ;;
  stop)    [ -d "$DIR" ] || exit 0; do_stop ;;
  status)  do_status ;;
  destroy) [ -e "$DIR/lab.env" ] || { log "not a lab: $DIR"; exit 64; }; do_stop; rm -rf "$DIR" ;;
  env)     echo "export CEPH_CONF=$CONF CEPH_ARGS='--keyring $KEYRING'" ;;
  kill-osd)  [ -n "$ID" ] || usage; stop_one "osd.$ID" TERM ;;
  start-osd) [ -n "$ID" ] || usage; pid_of "osd.$ID" >/dev/null && exit 0; start_osd "$ID" ;;
  *) usage ;;
esac

# bash completion for foundry-agent. Made by npm run derive from what the program declares.

# Adds the last part of each path to words; of a block device's, the one before /device.
_foundry_agent_names() {
  local path
  for path; do
    if [[ -e $path ]]; then
      path=${path%/device}
      words+=" ${path##*/}"
    fi
  done
}

# Sets words and finds for the word after an option; fails where the option takes no value.
_foundry_agent_value() {
  case "$1 $2" in
    "run --config" | "status --socket" | "report --socket" | "drives --socket" | \
      "smart-test --socket" | "network --socket" | "osds --socket" | "events --socket" | \
      "why --socket" | "commands --socket" | "commands --key" | "commands --make-key" | \
      "reboot --socket" | "hold --socket" | "release --socket" | "sync --socket" | \
      "collect --socket" | "check --socket" | "enroll --socket" | "adopt --socket" | \
      "reset --socket" | "leave --socket" | "reload --socket" | "diagnostics --output" | \
      "diagnostics -o" | "diagnostics --socket" | "config --config" | "sandbox --state" | \
      "helper --socket" | "helper --policy") finds="file" ;;
    "status --fail-on") words="error warning never" ;;
    "report --as" | "enroll --api") words="nodefoundry" ;;
    "drives --for" | "drives --note" | "commands --node" | "commands --param" | \
      "commands --expires" | "commands --id" | "reboot --reason" | "hold --reason" | \
      "hold --for" | "enroll --name" | "sandbox --listen" | "helper --idle") : ;;
    "events --since") words="all" ;;
    "commands --type") words="reboot collect smart_test locate diagnostics noop" ;;
    "commands --mode") words="live test" ;;
    "enroll --key-file") words="-"; finds="file" ;;
    "helper --state") finds="folder" ;;
    *) return 1 ;;
  esac
}

# Sets words and finds for a word that is no option: sub-command, number of words before it, these words.
_foundry_agent_word() {
  case "$1/$2/$3" in
    report/0/ | why/0/ | collect/0/) words="drives smart network system cpu memory sensors bmc hardware lldp ceph local" ;;
    drives/0/) words="locate forget ack unack"; _foundry_agent_names /sys/block/*/device; members=yes ;;
    drives/1/locate | drives/1/ack | drives/1/unack | smart-test/0/) _foundry_agent_names /sys/block/*/device; members=yes ;;
    drives/1/forget | drives/2/ack/* | commands/1/cancel | commands/1/ack) : ;;
    smart-test/1/*) words="short long abort" ;;
    network/0/) _foundry_agent_names /sys/class/net/* ;;
    commands/0/) words="cancel ack submit sign" ;;
    commands/1/submit) words="-"; finds="file" ;;
    sync/0/ | check/0/ | enroll/0/ | leave/0/) words="nodefoundry" ;;
    config/0/) words="check show" ;;
  esac
}

# Sets words to the options of a sub-command.
_foundry_agent_options() {
  case $1 in
    run) words="--config --once -h --help" ;;
    status) words="--fail-on -w --watch --socket --json -h --help" ;;
    report) words="--as --raw --all --socket --json -h --help" ;;
    drives) words="-w --watch --raw --for --off --note --socket --json -h --help" ;;
    smart-test | network | osds | why | \
      release | sync | collect | check | \
      reload) words="--socket --json -h --help" ;;
    events) words="--since -f --follow --socket --json -h --help" ;;
    commands) words="-w --watch --socket --json --key --node --type --param --expires --id --mode --make-key -h --help" ;;
    reboot) words="--hard --reason --no-drain --force --dry-run --test -y --yes --wait --unproven --socket --json -h --help" ;;
    hold) words="--reason --for --socket --json -h --help" ;;
    enroll) words="--api --key-file --name --socket --json -h --help" ;;
    adopt) words="--undo -y --yes --socket --json -h --help" ;;
    reset) words="--identity -y --yes --socket --json -h --help" ;;
    leave) words="-y --yes --socket --json -h --help" ;;
    diagnostics) words="-o --output --socket --json -h --help" ;;
    config) words="--config --json -h --help" ;;
    sandbox) words="--listen --state --json -h --help" ;;
    start) words="--once -h --help" ;;
    helper) words="--socket --state --policy --idle --release --audit -h --help" ;;
    version) words="--json -h --help" ;;
  esac
}

_foundry_agent() {
  local IFS=$' \t\n' current= waiting= command= before= count=0 words= finds= members= word i
  COMPREPLY=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then
      [[ $word == "=" ]] || current=$word
    elif [[ $word == "=" ]]; then
      continue
    elif [[ -n $waiting ]]; then
      waiting=
    elif [[ $word == -* ]]; then
      if [[ -n $command ]] && _foundry_agent_value "$command" "$word"; then waiting=$word; fi
    elif [[ -z $command ]]; then
      command=$word
    else
      before+=${before:+/}$word
      count=$((count + 1))
    fi
  done
  words= finds=
  if [[ -n $waiting ]]; then
    _foundry_agent_value "$command" "$waiting"
  elif [[ -z $command && $current == -* ]]; then
    words="-h --help -V --version"
  elif [[ -z $command || $command == help && $count -eq 0 ]]; then
    words="run status report drives smart-test network osds events why commands reboot hold release sync collect check enroll adopt reset leave reload diagnostics config sandbox version"
  elif [[ $current == -* ]]; then
    _foundry_agent_options "$command"
  else
    _foundry_agent_word "$command" "$count" "$before"
    if [[ -z $words$finds && -z $current ]]; then _foundry_agent_options "$command"; fi
  fi
  for word in $words; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
  if [[ -n $members && -n $current && ${#COMPREPLY[@]} -eq 0 ]]; then
    while IFS= read -r word; do
      [[ $word == "$current"* ]] && COMPREPLY+=("$word")
    done < <(foundry-agent drives --json 2>/dev/null | sed -nE 's/^ *"name": "([a-z0-9]+(_[0-9]+)?_(megaraid|cciss|aacraid|3ware|areca|hpt|sssraid)_[0-9_]+)",?$/\1/p')
  fi
  if [[ -n $finds ]]; then
    # Fails where this is called outside of a completion, which does no harm.
    compopt -o filenames 2>/dev/null || :
    local action=-f
    [[ $finds == folder ]] && action=-d
    while IFS= read -r word; do
      COMPREPLY+=("$word")
    done < <(compgen "$action" -- "$current")
  fi
  return 0
}

complete -F _foundry_agent foundry-agent

# zsh -f offered.zsh FOLDER FILE LINE …: into FILE.1, FILE.2, … what an interactive zsh offers when TAB is pressed after
# each line. FOLDER holds the completion functions. Completion works only in a line editor, so one is run in a terminal
# of its own, on which the editor draws: hence the files. One for all lines: it takes its time to get ready.
zmodload zsh/zpty
folder=$1 told=$2
shift 2
zpty inner zsh -f -i
zpty -w inner "PS1=; fpath=(${(q)folder} \$fpath); autoload -U compinit; compinit -u -D; told=${(q)told}"
zpty -w inner 'typeset -gaU offered; typeset -gi line=0
compadd() {
  local -a found
  builtin compadd -O found "$@"
  offered+=($found)
  builtin compadd "$@"
}
tell() {
  zle complete-word
  print -rl -- $offered >$told.$((++line))
  offered=() BUFFER=
  print TO""LD
}
zle -N tell; bindkey "^I" tell; print REA""DY'
zpty -r -m inner out '*READY*'
for line; do
  zpty -n -w inner "$line"$'\t'
  zpty -r -m inner out '*TOLD*'
done
zpty -d inner

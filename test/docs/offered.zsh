# zsh -f offered.zsh FOLDER LINE FILE: into FILE what an interactive zsh offers when TAB is pressed after LINE.
# FOLDER holds the completion functions. Completion works only in a line editor, so one is run in a terminal of its
# own, on which the editor draws: hence the file.
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "PS1=; fpath=(${(q)1} \$fpath); autoload -U compinit; compinit -u -D; told=${(q)3}"
zpty -w inner 'typeset -gaU offered
compadd() {
  local -a found
  builtin compadd -O found "$@"
  offered+=($found)
  builtin compadd "$@"
}
tell() {
  zle complete-word
  print -rl -- $offered >$told
  print TO""LD
}
zle -N tell; bindkey "^I" tell; print REA""DY'
zpty -r -m inner out '*READY*'
zpty -n -w inner "$2"$'\t'
zpty -r -m inner out '*TOLD*'
zpty -d inner

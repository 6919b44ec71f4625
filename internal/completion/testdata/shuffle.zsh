#compdef shuffle
# zsh completion for shuffle. To load it: source <(shuffle completion zsh)
_shuffle() {
  local context state state_descr line
  typeset -A opt_args
  local -a global commands
  global=( '--help[Show context-sensitive help]' '--local[Keep it in this folder\: \[here\]]:value:_files' '--log-level[How much]:value:(auto debug info)' '*--alias[Further names of the bucket'\''s]:value:_files')
  commands=(
    'plan:Compare sheets and datasets'
    'pull:Download it\: all'
    'completion:Print a script'
  )
  _arguments -C $global '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
        plan) _arguments $global '*--episode[This one only; repeatable]:value:_files' '--dry-run[Write nothing]' '*:argument:_files' ;;
        pull) _arguments $global '*:argument:_files' ;;
        completion) _arguments $global '1:argument:(bash zsh fish)' ;;
      esac ;;
  esac
}
if [[ $funcstack[1] == _shuffle ]]; then _shuffle "$@"; else compdef _shuffle shuffle; fi

# bash completion for shuffle. To load it: source <(shuffle completion bash)
_shuffle() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= words= flags= i
  COMPREPLY=()
  case $previous in
    --log-level) COMPREPLY=($(compgen -W 'auto debug info' -- "$current")); return ;;
    --local | --alias | --episode) return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --local | --alias | --episode) ((i++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  case $command in
    plan) words='' flags='--episode --dry-run' ;;
    pull) words='' flags='' ;;
    completion) words='bash zsh fish' flags='' ;;
    '') words='plan pull completion' ;;
  esac
  if [[ $current == -* ]]; then words="$flags --help --local --log-level --alias"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _shuffle shuffle

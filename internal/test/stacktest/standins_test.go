package stacktest_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// standIn replaces aws, docker and git for the scripts of deploy/. It records its calls and keeps
// the state of an account in files, which are empty or missing at first. The call with number
// FAIL_AT fails and does nothing.
const standIn = `#!/bin/sh
cd "$STATE" || exit 1
name=$(basename "$0")
calls=$(($(wc -l <log) + 1))
printf '%s\n' "$(printf '%s' "$name $*" | tr '\n' ' ')" >>log
if [ "$calls" = "$FAIL_AT" ]; then echo "An error occurred (Throttling)" >&2; exit 255; fi

# after prints the argument that follows another.
after() { want=$1; shift; while [ $# -gt 1 ]; do if [ "$1" = "$want" ]; then echo "$2"; fi; shift; done; }
has() { [ -s "$1" ]; }

case "$name $*" in
"git status"*) echo "$CHANGES" ;;
"git rev-parse"*) echo "${HEAD:-c0ffee}" ;;
*get-caller-identity*) printf '123456789012\tarn:aws:iam::123456789012:user/anna\n' ;;
*"configure get region"*) echo "${REGION-us-west-2}" ;;
*get-bucket-location*) echo "${LOCATION:-us-west-2}" ;;
*create-service-linked-role*) exit 254 ;;
*describe-stacks*)
  if ! has status; then echo "An error occurred (ValidationError): Stack with id google-shuffle does not exist" >&2; exit 254; fi
  case "$*" in
  *StackStatus*) cat status ;;
  *ParameterKey*) key=${*#*ParameterKey==\'}; sed -n "s/^${key%%\'*}=//p" parameters | tail -1 ;;
  *RepositoryUri*) echo 1.dkr.ecr.us-west-2.amazonaws.com/google-shuffle ;;
  *GoogleCredentialsSecret*) echo arn:secret ;;
  *TaskSubnets*) echo "${SUBNETS-subnet-1,subnet-2}" ;;
  *TaskSecurityGroup*) echo sg-1 ;;
  *TaskPublicIp*) echo ENABLED ;;
  *AlertsTopic*) echo arn:topic ;;
  *OutputKey==*Cluster*) echo google-shuffle ;;
  esac ;;
*"cloudformation deploy"*)
  case "$(cat status)" in
  '') if has leftovers; then echo "Resource handler returned message: already exists" >&2; echo ROLLBACK_COMPLETE >status; exit 255; fi
    echo CREATE_COMPLETE >status; echo PendingConfirmation >subscription ;;
  CREATE_COMPLETE | UPDATE_COMPLETE | UPDATE_ROLLBACK_COMPLETE) echo UPDATE_COMPLETE >status ;;
  *) echo "Stack is in $(cat status) state and can not be updated" >&2; exit 255 ;;
  esac
  for p in "$@"; do
    case $p in
    ImageTag=none) ;;
    ImageTag=*) grep -qx "${p#*=}" tried || echo "${p#*=} was deployed untried" >>faults; echo "$p" >>parameters ;;
    --*) ;;
    *=*) echo "$p" >>parameters ;;
    esac
  done ;;
*continue-update-rollback*) echo UPDATE_ROLLBACK_COMPLETE >status ;;
*delete-stack*) : >status; : >parameters ;;
*put-secret-value*) cat >secret; echo v1 ;;
*describe-secret*)
  if ! has status && ! has leftovers; then exit 254; fi
  case "$*" in
  *VersionIds*) if has secret; then echo v1; fi ;;
  *DeletedDate*) echo None ;;
  *ARN*) echo arn:secret ;;
  esac ;;
*delete-secret*) : >leftovers ;;
*describe-log-groups*) if has leftovers; then echo /google-shuffle/planner; fi ;;
*describe-images*) tag=${*#*imageTag=}; grep -qx "${tag%% *}" images || exit 254 ;;
"docker build"*) if [ -n "$NO_BUILD" ]; then exit 1; fi; after -t "$@" >built ;;
"docker push"*) if [ "$(cat built)" != "$2" ]; then exit 1; fi; echo "${2##*:}" >>images ;;
*describe-task-definition*)
  printf '{\n    "family": "google-shuffle-tracker",\n    "runtimePlatform": null,\n    "containerDefinitions": [{"image": "1.dkr.ecr.us-west-2.amazonaws.com/google-shuffle:none"}]\n}\n' ;;
*register-task-definition*--cli-input-json*)
  image=${*#*\"image\": \"}; image=${image%%\"*}; echo "${image##*:}" >trial; echo arn:trial
  processor=${*#*\"cpuArchitecture\": \"}; processor=${processor%%\"*}
  case "$processor ${image##*:}" in
  "ARM64 "*-arm64 | "X86_64 "*) ;;
  *) echo "${image##*:} was tried on $processor" >>faults ;;
  esac ;;
*describe-clusters*) printf '%s\n' "${PROVIDERS-FARGATE	FARGATE_SPOT}" ;;
*"run-task"*arn:trial*'"name": "planner"'*) exit 254 ;; # the trial is a task of the tracker
*run-task*) if [ -n "$NOT_STARTED" ]; then printf 'None\tRESOURCE:ENI\n'; else printf 'arn:aws:ecs:us-west-2:1:task/google-shuffle/abc\tNone\n'; fi ;;
*describe-tasks*lastStatus*) echo STOPPED ;;
*describe-tasks*) printf '%s\tEssential container in task exited\n' "${EXIT:-0}"; if [ "${EXIT:-0}" = 0 ]; then cat trial >>tried; fi ;;
*filter-log-events*) echo "a line of the log" ;;
*list-subscriptions-by-topic*) cat subscription ;;
*"sns subscribe"*) echo PendingConfirmation >subscription ;;
*describe-alarms*) cat alarms ;;
*set-alarm-state*) : >alarms ;;
esac
`

// account is an AWS account and a checked-out commit, as the scripts of deploy/ see them.
type account struct {
	t   *testing.T
	dir string
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t, t.TempDir()}
	for _, name := range []string{"aws", "docker", "git"} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(standIn), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"log", "status", "parameters", "secret", "leftovers", "images", "tried", "trial", "subscription", "alarms", "faults", "built"} {
		a.set(name, "")
	}
	return a
}

func (a *account) set(name, content string) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), []byte(content), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *account) get(name string) string {
	a.t.Helper()
	body, err := os.ReadFile(filepath.Join(a.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.t.Fatal(err)
	}
	return strings.TrimSpace(string(body))
}

// run runs a script of deploy/, and returns its output, its exit code and the calls that it made.
func (a *account) run(script string, env []string, args ...string) (output string, code int, calls []string) {
	a.t.Helper()
	a.set("log", "")
	cmd := exec.CommandContext(a.t.Context(), "../../../deploy/"+script, args...)
	cmd.Env = append([]string{"PATH=" + a.dir + ":" + os.Getenv("PATH"), "STATE=" + a.dir, "POLL_SECONDS=0"}, env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	if faults := a.get("faults"); faults != "" {
		a.t.Errorf("%s\n%s", faults, out)
	}
	return string(out), cmd.ProcessState.ExitCode(), strings.Split(a.get("log"), "\n")
}

// order checks that commands contains these texts, in this order.
func order(t *testing.T, commands []string, wanted ...string) {
	t.Helper()
	rest := commands
	for _, w := range wanted {
		i := slices.IndexFunc(rest, func(c string) bool { return strings.Contains(c, w) })
		if i < 0 {
			t.Fatalf("no %q where it should be in\n%s", w, strings.Join(commands, "\n"))
		}
		rest = rest[i+1:]
	}
}

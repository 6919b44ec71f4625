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

// standIns are commands that note how they were called. aws knows the image "deployed" only.
const standIns = `#!/bin/sh
echo "$(basename "$0") $*" >>"$LOG"
case "$*" in
*put-secret-value*) echo "secret $(cat)" >>"$LOG" ;;
*create-service-linked-role*) exit 254 ;;
*RepositoryUri*) echo 1.dkr.ecr.us-west-2.amazonaws.com/google-shuffle ;;
*GoogleCredentialsSecret*) echo arn:secret ;;
*describe-images*imageTag=deployed*) ;;
*describe-images*) exit 254 ;;
*rev-parse*) echo c0ffee ;;
*"status --porcelain"*) echo "$CHANGES" ;;
esac
`

// up runs deploy/up and gives the commands that it ran.
func up(t *testing.T, env []string, args ...string) (commands []string, output string, err error) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	for _, name := range []string{"aws", "docker", "git"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(standIns), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "../../deploy/up", args...)
	cmd.Env = append([]string{"PATH=" + dir + ":" + os.Getenv("PATH"), "LOG=" + log, "CHANGES="}, env...)
	out, err := cmd.CombinedOutput()
	body, readErr := os.ReadFile(log)
	if errors.Is(readErr, fs.ErrNotExist) {
		return nil, string(out), err
	}
	if readErr != nil {
		t.Fatalf("%v\n%s", readErr, out)
	}
	return strings.Split(strings.TrimSpace(string(body)), "\n"), string(out), err
}

// order finds the beginnings of commands, one after the other.
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

// deploys are the deployments among the commands.
func deploys(commands []string) []string {
	return slices.DeleteFunc(slices.Clone(commands), func(c string) bool { return !strings.Contains(c, "cloudformation deploy") })
}

// TestUp: the repository comes before the image, and the image before what runs it.
func TestUp(t *testing.T) {
	const key = `{"client_email": "reader@project.iam"}`
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, credentials := range map[string]string{"file": file, "JSON": key} {
		t.Run(name, func(t *testing.T) {
			commands, out, err := up(t, []string{"GOOGLE_DRIVE_CREDENTIALS_FILE=" + credentials}, "AlertEmail=a@b.c", "Prefix=p")
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			order(t, commands, "create-service-linked-role --aws-service-name ecs.amazonaws.com", "--parameter-overrides AlertEmail=a@b.c Prefix=p",
				"put-secret-value --secret-id arn:secret", "secret "+key,
				"docker build --platform linux/amd64 -f deploy/Dockerfile -t 1.dkr.ecr.us-west-2.amazonaws.com/google-shuffle:c0ffee",
				"docker login --username AWS --password-stdin 1.dkr.ecr.us-west-2.amazonaws.com", "docker push", "--parameter-overrides ImageTag=c0ffee")
		})
	}
}

// TestUpNoKey: a file that is not there stops it before anything is done.
func TestUpNoKey(t *testing.T) {
	if commands, out, err := up(t, []string{"GOOGLE_DRIVE_CREDENTIALS_FILE=/nowhere/key.json"}, "AlertEmail=a@b.c"); err == nil || len(commands) > 0 || !strings.Contains(out, "/nowhere/key.json") {
		t.Errorf("%v %q\n%s", err, commands, out)
	}
}

// TestUpBack: an image that is there is not built again, one that is not there is an error, and so are changes.
func TestUpBack(t *testing.T) {
	commands, out, err := up(t, []string{"IMAGE_TAG=deployed"})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	order(t, commands, "aws cloudformation deploy", "describe-images", "--parameter-overrides ImageTag=deployed")
	if all := strings.Join(commands, "\n"); strings.Contains(all, "docker") || strings.Contains(deploys(commands)[0], "--parameter-overrides") {
		t.Errorf("more than was needed:\n%s", all)
	}
	if _, out, err := up(t, []string{"IMAGE_TAG=unknown"}); err == nil || !strings.Contains(out, "list-images") {
		t.Errorf("an unknown image: %v\n%s", err, out)
	}
	if _, out, err := up(t, []string{"CHANGES= M main.go"}); err == nil || !strings.Contains(out, "commit them") {
		t.Errorf("changes: %v\n%s", err, out)
	}
}

package stacktest_test

import (
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

// TestUp: the repository comes before the image, and the image before what runs it.
func TestUp(t *testing.T) {
	commands, out, err := up(t, []string{"GOOGLE_DRIVE_CREDENTIALS_FILE=/key.json"}, "AlertEmail=a@b.c", "Prefix=p")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	order(t, commands, "--parameter-overrides AlertEmail=a@b.c Prefix=p", "put-secret-value --secret-id arn:secret --secret-string file:///key.json",
		"docker build --platform linux/amd64 -f deploy/Dockerfile -t 1.dkr.ecr.us-west-2.amazonaws.com/google-shuffle:c0ffee",
		"docker login --username AWS --password-stdin 1.dkr.ecr.us-west-2.amazonaws.com", "docker push", "--parameter-overrides ImageTag=c0ffee")
}

// TestUpBack: an image that is there is not built again, one that is not there is an error, and so are changes.
func TestUpBack(t *testing.T) {
	commands, out, err := up(t, []string{"IMAGE_TAG=deployed"})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	order(t, commands, "aws cloudformation deploy", "describe-images", "--parameter-overrides ImageTag=deployed")
	if all := strings.Join(commands, "\n"); strings.Contains(all, "docker") || strings.Contains(commands[0], "--parameter-overrides") {
		t.Errorf("more than was needed:\n%s", all)
	}
	if _, out, err := up(t, []string{"IMAGE_TAG=unknown"}); err == nil || !strings.Contains(out, "list-images") {
		t.Errorf("an unknown image: %v\n%s", err, out)
	}
	if _, out, err := up(t, []string{"CHANGES= M main.go"}); err == nil || !strings.Contains(out, "commit them") {
		t.Errorf("changes: %v\n%s", err, out)
	}
}

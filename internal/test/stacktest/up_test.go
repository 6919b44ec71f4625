package stacktest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
)

const key = `{"client_email": "reader@project.iam"}`

// withKey is the environment of a person who has the key.
var withKey = []string{"GOOGLE_DRIVE_CREDENTIALS_FILE=" + key}

// deploys returns the deployments among the commands.
func deploys(commands []string) []string {
	return slices.DeleteFunc(slices.Clone(commands), func(c string) bool { return !strings.Contains(c, "cloudformation deploy") })
}

// up runs deploy/up and fails the test when that fails.
func (a *account) up(env []string, args ...string) (output string, calls []string) {
	a.t.Helper()
	output, code, calls := a.run("up", env, args...)
	if code != 0 {
		a.t.Fatalf("exit code %d\n%s\n%s", code, output, strings.Join(calls, "\n"))
	}
	return output, calls
}

// TestUp: the repository is created before the image is pushed, a single task runs the image before
// the services do, and the template is uploaded to the bucket.
func TestUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, credentials := range map[string]string{"file": file, "JSON": key} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			out, calls := a.up([]string{"GOOGLE_DRIVE_CREDENTIALS_FILE=" + credentials}, "AlertEmail=a@b.c", "Prefix=p")
			order(t, calls, "get-caller-identity", "get-bucket-location --bucket media.angel-nft.com",
				"create-service-linked-role --aws-service-name ecs.amazonaws.com",
				"--s3-bucket media.angel-nft.com --s3-prefix p/shuffle/stack --no-fail-on-empty-changeset --parameter-overrides AlertEmail=a@b.c Prefix=p",
				"put-secret-value --secret-id arn:secret",
				"docker build --platform linux/amd64 --build-arg VERSION=c0ffee --build-arg REVISION=c0ffee -f deploy/Dockerfile -t 1.dkr.ecr.us-west-2.amazonaws.com/google-shuffle:c0ffee",
				"docker login --username AWS --password-stdin 1.dkr.ecr.us-west-2.amazonaws.com", "docker push",
				"register-task-definition", "run-task --cluster google-shuffle --task-definition arn:trial", "deregister-task-definition",
				"--parameter-overrides AlertEmail=a@b.c Prefix=p ImageTag=c0ffee", "list-subscriptions-by-topic")
			if a.get("secret") != key {
				t.Errorf("secret %q", a.get("secret"))
			}
			for _, want := range []string{"account 123456789012 as arn:aws:iam::123456789012:user/anna, region us-west-2", "NO ALARM REACHES a@b.c"} {
				if !strings.Contains(out, want) {
					t.Errorf("does not say %q:\n%s", want, out)
				}
			}
		})
	}
}

// TestUpAgain: a later run makes one deployment, and earlier parameters keep their values. An
// earlier commit rolls back the image and the template.
func TestUpAgain(t *testing.T) {
	a := newAccount(t)
	a.up(withKey, "AlertEmail=a@b.c")
	a.set("subscription", "arn:subscription")
	a.set("alarms", "google-shuffle-no-success")
	out, calls := a.up([]string{"HEAD=beef"}, "Group=10s")
	if d := deploys(calls); len(d) != 1 || !strings.HasSuffix(strings.TrimSpace(d[0]), "--parameter-overrides Group=10s ImageTag=beef") {
		t.Errorf("deployments %q, expected one", d)
	}
	order(t, calls, "set-alarm-state --alarm-name google-shuffle-no-success --state-value OK")
	if !strings.Contains(out, "alarms reach a@b.c") || strings.Contains(out, "NO ALARM") {
		t.Errorf("a confirmed subscription:\n%s", out)
	}
	_, calls = a.up([]string{"HEAD=c0ffee"})
	if all := strings.Join(calls, "\n"); strings.Contains(all, "docker") || !strings.Contains(all, "ImageTag=c0ffee") {
		t.Errorf("an image that is there is built again, or not taken:\n%s", all)
	}
}

// TestUpRefuses: a run that cannot succeed ends before any change, and reports what to do.
func TestUpRefuses(t *testing.T) {
	first := []string{"AlertEmail=a@b.c"}
	for name, c := range map[string]struct {
		env, args []string
		status    string
		want      string
	}{
		"no key file":              {[]string{"GOOGLE_DRIVE_CREDENTIALS_FILE=/nowhere/key.json"}, first, "", "/nowhere/key.json"},
		"no service account":       {[]string{`GOOGLE_DRIVE_CREDENTIALS_FILE={"installed": {}}`}, first, "", "no client_email"},
		"no key":                   {nil, first, "", "GOOGLE_KEY=later"},
		"no key yet":               {nil, nil, "UPDATE_COMPLETE", "GOOGLE_KEY=later"},
		"no address":               {withKey, nil, "", "deploy/up AlertEmail="},
		"capitals":                 {append(withKey, "STACK=Shuffle"), first, "", "small letter"},
		"a long name":              {append(withKey, "STACK="+strings.Repeat("a", 41)), first, "", "up to 39"},
		"changes":                  {append(withKey, "CHANGES= M main.go"), first, "", "commit them"},
		"a parameter that is none": {withKey, []string{"AlertEmail=a@b.c", "Guards=3"}, "", "Guards=3: there is no such parameter"},
		"no parameter":             {withKey, []string{"a@b.c"}, "", "expected PARAMETER=VALUE"},
		"an image":                 {withKey, []string{"ImageTag=beef"}, "", "check another one out"},
		"another region":           {append(withKey, "LOCATION=eu-west-1"), first, "", "set AWS_REGION=eu-west-1"},
		"no region":                {append(withKey, "REGION="), first, "", "set AWS_REGION"},
		"a bucket of long ago":     {append(withKey, "LOCATION=EU"), first, "", "set AWS_REGION=eu-west-1"},
		"a bucket of the first":    {append(withKey, "LOCATION=None"), first, "", "set AWS_REGION=us-east-1"},
		"another deployment":       {withKey, first, "UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"},
		"no cluster":               {append(withKey, "PROVIDERS="), []string{"AlertEmail=a@b.c", "ClusterName=apps"}, "", "no cluster apps in us-west-2"},
		"a cluster without Spot":   {append(withKey, "PROVIDERS=FARGATE"), []string{"AlertEmail=a@b.c", "ClusterName=apps"}, "", "capacity provider FARGATE_SPOT"},
		"no processor":             {withKey, []string{"AlertEmail=a@b.c", "Architecture=arm"}, "", "X86_64 or ARM64"},
		"a deletion that failed":   {withKey, first, "DELETE_FAILED", "describe-stack-events"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.set("status", c.status)
			out, code, calls := a.run("up", c.env, c.args...)
			if code == 0 || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, expected %q in\n%s", code, c.want, out)
			}
			changing := []string{"cloudformation deploy", "delete-", "put-secret", "docker", "run-task", "create-"}
			for _, call := range calls {
				if slices.ContainsFunc(changing, func(w string) bool { return strings.Contains(call, w) }) {
					t.Errorf("before it refused: %s", call)
				}
			}
		})
	}
}

// TestUpProcessor: the image is built for the processor of the tasks and tried on it. The other
// processor has an image of its own.
func TestUpProcessor(t *testing.T) {
	a := newAccount(t)
	_, calls := a.up(withKey, "AlertEmail=a@b.c", "ClusterName=apps")
	order(t, calls, "describe-clusters --clusters apps", "docker build --platform linux/amd64")
	_, calls = a.up(nil, "Architecture=ARM64")
	order(t, calls, "docker build --platform linux/arm64", "register-task-definition", "ImageTag=c0ffee-arm64")
	_, calls = a.up(nil) // the parameter keeps its value
	if all := strings.Join(calls, "\n"); strings.Contains(all, "docker build") || !strings.Contains(all, "ImageTag=c0ffee-arm64") {
		t.Errorf("%s", all)
	}
}

// TestUpMends repairs stacks that a failed deployment has left.
func TestUpMends(t *testing.T) {
	for status, wanted := range map[string]string{
		"ROLLBACK_COMPLETE": "wait stack-delete-complete", "CREATE_FAILED": "delete-stack", "REVIEW_IN_PROGRESS": "delete-stack",
		"ROLLBACK_FAILED": "delete-stack", "UPDATE_ROLLBACK_FAILED": "continue-update-rollback", "UPDATE_ROLLBACK_COMPLETE": "docker push",
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			a.set("status", status)
			_, calls := a.up(withKey, "AlertEmail=a@b.c")
			order(t, calls, wanted, "ImageTag=c0ffee")
		})
	}
}

// TestUpLeftovers: resources that a deleted stack has left are deleted only on request.
func TestUpLeftovers(t *testing.T) {
	a := newAccount(t)
	a.set("leftovers", "yes")
	out, code, calls := a.run("up", withKey, "AlertEmail=a@b.c")
	if code != 2 || !strings.Contains(out, "LEFTOVERS=delete") || len(deploys(calls)) > 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	_, calls = a.up(append(withKey, "LEFTOVERS=delete"), "AlertEmail=a@b.c")
	order(t, calls, "delete-log-group --log-group-name /google-shuffle/planner", "delete-secret", "cloudformation deploy")
}

// TestUpBroken: an image that does not run, or that could not be built, is not deployed.
func TestUpBroken(t *testing.T) {
	for name, env := range map[string]string{"it ends badly": "EXIT=1", "it cannot start": "EXIT=None", "no capacity": "NOT_STARTED=yes", "no build": "NO_BUILD=yes"} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			a.up(withKey, "AlertEmail=a@b.c")
			out, code, calls := a.run("up", []string{"HEAD=broken", env})
			if code == 0 || len(deploys(calls)) > 0 {
				t.Errorf("exit code %d, deployments %q\n%s", code, deploys(calls), out)
			}
			if !strings.HasSuffix(a.get("parameters"), "ImageTag=c0ffee") {
				t.Errorf("parameters\n%s", a.get("parameters"))
			}
		})
	}
}

// TestUpWithoutKey: a user without a Google key may continue without it.
func TestUpWithoutKey(t *testing.T) {
	a := newAccount(t)
	_, calls := a.up([]string{"GOOGLE_KEY=later"}, "AlertEmail=a@b.c")
	order(t, calls, "describe-task-definition --task-definition google-shuffle-tracker", "ImageTag=c0ffee")
	if strings.Contains(strings.Join(calls, "\n"), "put-secret-value") {
		t.Errorf("a secret was put:\n%s", strings.Join(calls, "\n"))
	}
	a.up(withKey)
	if a.get("secret") != key {
		t.Errorf("secret %q", a.get("secret"))
	}
}

// TestUpRepeats: when any call fails, no untried image is deployed, and the same command then
// completes the stack.
func TestUpRepeats(t *testing.T) {
	_, calls := newAccount(t).up(withKey, "AlertEmail=a@b.c")
	for n := range calls {
		t.Run(fmt.Sprintf("%d %.40s", n+1, calls[n]), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			out, code, made := a.run("up", append(withKey, fmt.Sprintf("FAIL_AT=%d", n+1)), "AlertEmail=a@b.c")
			if code == 0 && !strings.HasSuffix(a.get("parameters"), "ImageTag=c0ffee") {
				t.Errorf("ended well and is not up\n%s\n%s", out, strings.Join(made, "\n"))
			}
			a.up(withKey, "AlertEmail=a@b.c")
			if a.get("secret") != key || !strings.HasSuffix(a.get("parameters"), "ImageTag=c0ffee") {
				t.Errorf("secret %q, parameters\n%s", a.get("secret"), a.get("parameters"))
			}
		})
	}
}

// TestAlertsScript: a subscription that SNS has deleted is created again.
func TestAlertsScript(t *testing.T) {
	a := newAccount(t)
	a.up(withKey, "AlertEmail=a@b.c")
	a.set("subscription", "")
	out, code, calls := a.run("alerts", nil)
	order(t, calls, "subscribe --topic-arn arn:topic --protocol email --notification-endpoint a@b.c")
	if code != 1 || !strings.Contains(out, "made again") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if out, code, _ = a.run("alerts", nil); code != 1 || !strings.Contains(out, "not confirmed") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// TestShuffleScript: a command runs with the definition of its stage. The script prints the
// command's log and ends with its exit code.
func TestShuffleScript(t *testing.T) {
	a := newAccount(t)
	a.up(withKey, "AlertEmail=a@b.c")
	for _, c := range []struct {
		args       string
		env        string
		code       int
		definition string
		command    string
	}{
		{"status", "EXIT=0", 0, "google-shuffle-tracker", `"name": "tracker", "command": ["status"]`},
		{"plan --allow-delete S01E01", "EXIT=3", 3, "google-shuffle-planner", `"name": "planner", "command": ["plan", "--allow-delete", "S01E01"]`},
		{`redrive "a\b"`, "EXIT=1", 1, "google-shuffle-tracker", `"command": ["redrive", "\"a\\b\""]`},
		{"doctor", "EXIT=0", 0, "google-shuffle-doctor", `"name": "doctor"`},
		{"status", "EXIT=None", 125, "google-shuffle-tracker", ""},
		{"status", "NOT_STARTED=yes", 125, "google-shuffle-tracker", ""},
	} {
		out, code, calls := a.run("shuffle", []string{c.env}, strings.Fields(c.args)...)
		order(t, calls, "run-task --cluster google-shuffle --task-definition "+c.definition+" --launch-type FARGATE --group operator")
		if all := strings.Join(calls, "\n"); code != c.code || !strings.Contains(all, c.command) || code < 125 && !strings.Contains(out, "a line of the log") {
			t.Errorf("%s with %s: exit code %d, expected %d\n%s\n%s", c.args, c.env, code, c.code, out, all)
		}
	}
	for _, args := range [][]string{nil, {"--help"}, {"run"}, {"demo"}, {"plan", "a\nb"}} {
		if out, code, calls := a.run("shuffle", nil, args...); code != 125 || strings.Contains(strings.Join(calls, "\n"), "run-task") {
			t.Errorf("%q: exit code %d\n%s", args, code, out)
		}
	}
}

// operatorCalls are the permissions that each command of the AWS CLI needs: the action, and its
// resource.
var operatorCalls = map[string]stacktest.Request{
	"cloudformation describe-stacks":  {Action: "cloudformation:DescribeStacks", Resource: "stack/google-shuffle/1a2b3c"},
	"ecs run-task":                    {Action: "ecs:RunTask", Context: "arn:aws:ecs:us-west-2:000000000000:cluster/google-shuffle"},
	"ecs describe-tasks":              {Action: "ecs:DescribeTasks", Resource: "task/google-shuffle/abc"},
	"ecs stop-task":                   {Action: "ecs:StopTask", Resource: "task/google-shuffle/abc"},
	"logs filter-log-events":          {Action: "logs:FilterLogEvents"},
	"sns list-subscriptions-by-topic": {Action: "sns:ListSubscriptionsByTopic", Resource: "google-shuffle-alerts"},
	"sns subscribe":                   {Action: "sns:Subscribe", Resource: "google-shuffle-alerts"},
	"cloudwatch describe-alarms":      {Action: "cloudwatch:DescribeAlarms", Resource: "alarm:*"},
	"cloudwatch set-alarm-state":      {Action: "cloudwatch:SetAlarmState", Resource: "alarm:google-shuffle-no-success"},
}

// TestOperatorPolicy: the policy for the people on call allows every call of their scripts and the
// start of the scripts' tasks. It allows no direct access to the data.
func TestOperatorPolicy(t *testing.T) {
	s := stack(t, source(t), everything)
	policy := s.Statements("OperatorPolicy")
	a := newAccount(t)
	a.up(withKey, "AlertEmail=a@b.c")
	for _, command := range []string{"plan", "work", "status", "doctor"} {
		_, _, calls := a.run("shuffle", nil, command)
		stage := map[string]string{"plan": "planner", "work": "worker", "status": "tracker", "doctor": "doctor"}[command]
		logs := strings.Replace(stage, "doctor", "planner", 1)
		a.operatorMay(policy, calls, map[string]string{"ecs:RunTask": "task-definition/google-shuffle-" + stage + ":7", "logs:FilterLogEvents": "log-group:/google-shuffle/" + logs + ":*"})
		role := strings.ToUpper(stage[:1]) + stage[1:] + "Role"
		if r := (stacktest.Request{Action: "iam:PassRole", Resource: "arn:aws:iam::000000000000:role/" + role}); !stacktest.Allows(policy, r) {
			t.Errorf("may not %s", r)
		}
	}
	a.set("subscription", "")
	_, _, calls := a.run("alerts", nil)
	a.operatorMay(policy, calls, nil)
	a.set("subscription", "arn:subscription")
	a.set("alarms", "google-shuffle-no-success")
	_, _, calls = a.run("alerts", nil)
	a.operatorMay(policy, calls, nil)

	for _, r := range []stacktest.Request{
		{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::media.angel-nft.com/tuttle_twins/ML/train/Rare/F.jpg"},
		{Action: "sqs:PurgeQueue", Resource: "arn:aws:sqs:us-west-2:000000000000:google-shuffle-tasks"},
		{Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-west-2:000000000000:task-definition/other:1", Context: "arn:aws:ecs:us-west-2:000000000000:cluster/google-shuffle"},
		{Action: "ecs:StopTask", Resource: "arn:aws:ecs:us-west-2:000000000000:task/other/abc"},
		{Action: "iam:PassRole", Resource: "arn:aws:iam::000000000000:role/Admin"},
		{Action: "cloudwatch:SetAlarmState", Resource: "arn:aws:cloudwatch:us-west-2:000000000000:alarm:other"},
		{Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:us-west-2:000000000000:secret:google-shuffle-google-credentials-a1b2c3"},
		{Action: "logs:FilterLogEvents", Resource: "arn:aws:logs:us-west-2:000000000000:log-group:/other:*"},
	} {
		if stacktest.Allows(policy, r) {
			t.Errorf("may %s", r)
		}
	}
}

// operatorMay fails the test at a call that the policy does not allow, or that operatorCalls does
// not contain.
func (a *account) operatorMay(policy []stacktest.Statement, calls []string, on map[string]string) {
	a.t.Helper()
	for _, call := range calls {
		words := strings.Fields(call)
		r, known := operatorCalls[words[1]+" "+words[2]]
		if !known {
			a.t.Errorf("a call that nobody has thought of: %s", call)
			continue
		}
		service, _, _ := strings.Cut(r.Action, ":")
		r.Resource = "arn:aws:" + service + ":us-west-2:000000000000:" + r.Resource + on[r.Action]
		if !stacktest.Allows(policy, r) {
			a.t.Errorf("%s: may not %s", call, r)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// onStack is the system of deploy/stack.yaml on LocalStack: its queues, and the commands and
// variables of its task definitions.
type onStack struct {
	t      *testing.T
	name   string
	stack  *stacktest.Stack
	queues map[string]string // URL by name
	season *season.Season
	bucket open.Bucket
	sheets string
	api    string
}

func deployStack(t *testing.T) *onStack {
	t.Helper()
	endpoint := testenv.AWSEndpoint(t)
	name := fmt.Sprintf("shuffle-%d", time.Now().UnixNano())
	body, err := os.ReadFile("../../deploy/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parameters := map[string]string{"AlertEmail": "oncall@example.com", "ImageTag": "v1", "Bucket": "media.angel-nft." + name}
	d := &onStack{t: t, name: name, queues: map[string]string{}, sheets: filepath.Join(t.TempDir(), "sheets")}
	for _, r := range (stacktest.Cloud{T: t, Endpoint: endpoint}).Deploy(name, body, parameters) {
		if r.Type == "AWS::SQS::Queue" {
			d.queues[r.PhysicalID[strings.LastIndexByte(r.PhysicalID, '/')+1:]] = r.PhysicalID
		}
	}
	parameters["AWS::StackName"] = name
	template, err := stacktest.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	if d.stack, err = template.Resolve(parameters); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": stacktest.Region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	} {
		t.Setenv(name, value)
	}
	server := httptest.NewServer(sheettest.FromFolder(d.sheets))
	t.Cleanup(server.Close)
	d.api = server.URL
	d.fill(parameters["Bucket"])
	return d
}

// fill creates the bucket and writes a season to it.
func (d *onStack) fill(bucket string) {
	d.t.Helper()
	opener := open.New(32)
	d.t.Cleanup(func() { _ = opener.Close() })
	if err := opener.CreateBucket(d.t.Context(), "s3://"+bucket); err != nil {
		d.t.Fatal(err)
	}
	var err error
	if d.bucket, _, err = opener.Bucket(d.t.Context(), "s3://"+bucket); err != nil {
		d.t.Fatal(err)
	}
	if d.season, err = season.Generate(season.Options{Episodes: 2, Frames: 120, Bucket: bucket}); err != nil {
		d.t.Fatal(err)
	}
	if err := d.season.Write(d.t.Context(), d.bucket, d.sheets); err != nil {
		d.t.Fatal(err)
	}
}

// setenv sets the variables of a task definition, with the queues and the sheets of the test.
func (d *onStack) setenv(c stacktest.Container) {
	for name, value := range c.Environment {
		if _, queue, ok := strings.Cut(value, ".amazonaws.com/"); ok {
			value = d.queues[queue[strings.IndexByte(queue, '/')+1:]]
		}
		d.t.Setenv(name, value)
	}
	d.t.Setenv("SHUFFLE_SHEETS_ENDPOINT", d.api)
}

// ending has the flags that make a service's command end by itself.
var ending = map[string][]string{"PlannerTask": nil, "WorkerTask": {"--exit-when-idle=3s"}, "TrackerTask": {"--until-done"}}

var stages = []string{"PlannerTask", "WorkerTask", "TrackerTask"}

// TestOnStack: the built binary completes a run with the queues of the stack, started with the
// commands of the task definitions. Its log has the metrics that the alarms watch. The roles allow
// every call of the stages.
func TestOnStack(t *testing.T) {
	d := deployStack(t)
	t.Setenv("SHUFFLE_KEEP_VERSIONS", "1") // so that older versions are removed
	logs := d.runBinary()
	t.Run("metrics", func(t *testing.T) { checkMetrics(t, d.stack, logs) })

	e := d.season.Episodes[0]
	moved := e.Relabel(10)
	d.season.Episodes[1].RemoveRows(2)
	if err := d.season.WriteSheets(d.sheets); err != nil {
		t.Fatal(err)
	}
	calls := map[string]*stacktest.Calls{}
	for _, task := range stages {
		calls[task] = &stacktest.Calls{}
		d.runNoted(task, calls[task])
		if task == "PlannerTask" { // so that there is a dead task too
			if _, err := d.bucket.DeleteObjects(t.Context(), []string{e.ImagePrefix() + moved[0].File()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	// First the results of the dead task, then a plan without tasks, which the planner completes
	// itself.
	for range 2 {
		for _, task := range stages {
			d.runNoted(task, calls[task])
		}
	}
	for _, task := range stages {
		role := strings.TrimSuffix(task, "Task") + "Role"
		t.Run(role, func(t *testing.T) { checkRole(t, d.stack.Statements(role), calls[task].Requests(), unused[role]) })
	}
}

// runBinary runs planner, worker and tracker one after the other, and returns the tracker's log.
func (d *onStack) runBinary() []byte {
	d.t.Helper()
	var out, logs bytes.Buffer
	for _, task := range stages {
		c := d.stack.Container(task)
		d.setenv(c)
		out.Reset()
		logs.Reset()
		cmd := exec.CommandContext(d.t.Context(), binaryPath, slices.Concat(c.Command, ending[task])...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = d.t.TempDir(), &out, &logs
		if err := cmd.Run(); err != nil {
			d.t.Fatalf("%s: %v\n%s\n%s", task, err, out.String(), logs.String())
		}
	}
	return logs.Bytes()
}

// runNoted runs a stage in this process and records its calls.
func (d *onStack) runNoted(task string, calls *stacktest.Calls) {
	d.t.Helper()
	d.command(task, calls, slices.Concat(d.stack.Container(task).Command, ending[task])...)
}

// command runs any command as a task would, records its calls and returns its output. Exit codes
// are ignored, because a run with a dead task does not succeed.
func (d *onStack) command(task string, calls *stacktest.Calls, args ...string) string {
	d.t.Helper()
	var out, logs bytes.Buffer
	p, a := d.app(task, calls, args, &out, &logs)
	if err := errors.Join(p.command.run(d.t.Context(), a), a.close()); err != nil && !errors.Is(err, errOutcome) {
		d.t.Fatalf("%s: shuffle %q: %v\n%s\n%s", task, args, err, out.String(), logs.String())
	}
	return out.String()
}

// app returns the program with a task's variables.
func (d *onStack) app(task string, calls *stacktest.Calls, args []string, out, logs io.Writer) (*parsed, *app) {
	d.t.Helper()
	d.setenv(d.stack.Container(task))
	p, err := parse(args, out, logs)
	if err != nil {
		d.t.Fatal(err)
	}
	a, err := newApp(p.config, out, logs)
	if err != nil {
		d.t.Fatal(err)
	}
	a.opener.AWSOptions = append(a.opener.AWSOptions, calls.Option)
	return p, a
}

// checkMetrics looks for the embedded metrics in a tracker's log, and for every alarm's metric
// among them.
func checkMetrics(t *testing.T, stack *stacktest.Stack, logs []byte) {
	var line struct {
		AWS struct {
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name string }
			}
		} `json:"_aws"`
		Prefix string
	}
	for l := range bytes.Lines(logs) {
		if bytes.Contains(l, []byte(`"_aws"`)) {
			if err := json.Unmarshal(l, &line); err != nil {
				t.Fatalf("%v: %s", err, l)
			}
		}
	}
	if len(line.AWS.CloudWatchMetrics) != 1 {
		t.Fatalf("no line with metrics in the log: %s", logs)
	}
	said := line.AWS.CloudWatchMetrics[0]
	watched := 0
	for _, id := range stack.Of("AWS::CloudWatch::Alarm") {
		p := stack.Resources[id].Properties
		if p["Namespace"] != said.Namespace {
			continue
		}
		watched++
		named := slices.ContainsFunc(said.Metrics, func(m struct{ Name string }) bool { return m.Name == p["MetricName"] })
		dimensions := fmt.Sprint(p["Dimensions"])
		if want := fmt.Sprintf("[map[Name:%s Value:%s]]", said.Dimensions[0][0], line.Prefix); !named || dimensions != want {
			t.Errorf("%s watches %v %s, the log has %+v with %s", id, p["MetricName"], dimensions, said.Metrics, want)
		}
	}
	if watched < 3 {
		t.Errorf("%d alarms watch %s, expected three at least", watched, said.Namespace)
	}
}

// unused are the permissions, by statement and action, that such a run does not use, with the
// reason.
var unused = map[string]map[string]string{
	"PlannerRole": {
		"RemoveWhatIsOld s3:DeleteObject": "when a run of no task publishes the first version of other episodes, or runs are old",
		"WakeTracker sqs:SendMessage":     "when a run that is being verified has no tracker",
	},
	"WorkerRole": {
		"KnowWhatIsMissing s3:ListBucket":                 "asked by S3 itself when a key is missing",
		"ReadImages s3:GetObjectTagging":                  "for tagged images",
		"ChangeDatasets s3:PutObjectTagging":              "for tagged images",
		"ChangeDatasets s3:GetObject":                     "for a task that is delivered again",
		"ProtectItselfWhileBusy ecs:GetTaskProtection":    "by the ECS agent",
		"ProtectItselfWhileBusy ecs:UpdateTaskProtection": "by the ECS agent",
		"TakeTasks sqs:ChangeMessageVisibility":           "when a task takes long, fails or is given back",
		"NoteOtherEnvironments s3:GetObject":              "when another environment uses the queues",
		"NoteOtherEnvironments s3:PutObject":              "when another environment uses the queues",
	},
	"TrackerRole": {
		"TakeResults sqs:ChangeMessageVisibility": "when another environment uses the queues",
		"StayAwake sqs:SendMessage":               "when a verification takes long",
		"PublishAgain sqs:GetQueueAttributes":     "when a run has stalled",
		"PublishAgain sqs:SendMessage":            "when a run has stalled",
	},
}

// checkRole checks that every call is allowed, and that every permission is used.
func checkRole(t *testing.T, policy []stacktest.Statement, calls []stacktest.Request, unused map[string]string) {
	checkAllowed(t, policy, calls)
	for _, st := range policy {
		for _, action := range st.Actions {
			used := slices.ContainsFunc(calls, func(r stacktest.Request) bool { return r.Action == action && st.Matches(r) })
			if unused[st.Sid+" "+action] == "" && !used {
				t.Errorf("%s: %s is allowed on %s, but was not needed", st.Sid, action, st.Resources)
			}
		}
	}
}

func checkAllowed(t *testing.T, policy []stacktest.Statement, calls []stacktest.Request) {
	t.Helper()
	if len(calls) < 10 {
		t.Errorf("only %d different calls were noted", len(calls))
	}
	for _, r := range calls {
		if !stacktest.Allows(policy, r) {
			t.Errorf("made, but not allowed: %s", r)
		}
	}
}

package main

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dashboard"
	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
)

// TestCommandsOnStack: the commands for the person on call need only the role of a stage. So a task
// of that stage with another command can execute them. Commands that read the sheets use the
// planner's role, doctor uses its own, and the others and the dashboard use the tracker's.
func TestCommandsOnStack(t *testing.T) {
	d := deployStack(t)
	none, planner, tracker, doctor := &stacktest.Calls{}, &stacktest.Calls{}, &stacktest.Calls{}, &stacktest.Calls{}
	stage := func(tasks ...string) {
		for _, task := range tasks {
			d.runNoted(task, none)
		}
	}
	stage(stages...)

	moved := d.season.Episodes[0].Relabel(6)
	if err := d.season.WriteSheets(d.sheets); err != nil {
		t.Fatal(err)
	}
	d.command("PlannerTask", planner, "plan", "--dry-run")
	reviewed := d.planned("--review")
	d.command("PlannerTask", planner, "apply", reviewed)
	if _, err := d.bucket.DeleteObjects(t.Context(), []string{d.season.Episodes[0].ImagePrefix() + moved[0].File()}); err != nil {
		t.Fatal(err)
	}
	stage("WorkerTask", "TrackerTask") // one task is dead

	for _, args := range []string{"runs", "status", "dead", "redrive " + reviewed, "cancel " + reviewed, "versions"} {
		d.command("TrackerTask", tracker, strings.Fields(args)...)
	}
	stage(stages...)
	d.command("TrackerTask", tracker, "verify")
	d.command("PlannerTask", planner, "why", string(moved[1]))
	d.command("PlannerTask", planner, "restore", "1", "--allow-delete", "S01E01")
	stage("WorkerTask", "TrackerTask")
	d.visit(tracker)
	if out := d.command("DoctorTask", doctor, "doctor"); !strings.Contains(out, "alarms of "+d.name+"-alerts") || !strings.Contains(out, "oncall@example.com") {
		t.Errorf("doctor does not say whether alarms reach their address:\n%s", out)
	}

	checkAllowed(t, d.stack.Statements("PlannerRole"), planner.Requests())
	checkAllowed(t, d.stack.Statements("TrackerRole"), tracker.Requests())
	checkAllowed(t, d.stack.Statements("DoctorRole"), doctor.Requests())
}

// planned plans and returns the run.
func (d *onStack) planned(args ...string) string {
	d.t.Helper()
	var plan struct{ Run string }
	out := d.command("PlannerTask", &stacktest.Calls{}, append([]string{"plan", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &plan); err != nil || plan.Run == "" {
		d.t.Fatalf("%v: %s", err, out)
	}
	return plan.Run
}

var link = regexp.MustCompile(`(?:href|src)="(/[^"]*)`)

// visit follows every link of the dashboard, with images, up to a limit.
func (d *onStack) visit(calls *stacktest.Calls) {
	d.t.Helper()
	_, a := d.app("TrackerTask", calls, []string{"track"}, io.Discard, io.Discard)
	if _, err := a.openStore(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	server := httptest.NewServer(dashboard.New(a.dashboardOptions()))
	defer server.Close()
	todo, seen := []string{"/"}, map[string]bool{}
	const most = 200
	for len(todo) > 0 && len(seen) < most {
		path := todo[0]
		todo = todo[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		for _, m := range link.FindAllStringSubmatch(d.get(server.URL+path), -1) {
			path, _, _ := strings.Cut(html.UnescapeString(m[1]), "#")
			todo = append(todo, path)
		}
	}
	if len(seen) < 20 {
		d.t.Errorf("only %d pages: %v", len(seen), seen)
	}
}

func (d *onStack) get(url string) string {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // It was only read.
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNotFound {
		d.t.Errorf("%s: %s, error %v", url, resp.Status, err)
	}
	return string(body)
}

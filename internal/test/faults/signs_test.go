package faults_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// sign is what people see of a fault: the status and the log name the cause and the next command to
// type.
type sign struct {
	name  string
	rule  faults.Rule
	purge string // a queue, which is purged after the rule's first request
	kills bool   // the process that made the request is killed
	env   []string

	code   int // exit code of the plan; -1 when it is killed
	state  state.State
	reason []string
	held   []string // texts in the reason of the held episode
	next   []string // the commands that status recommends
	logs   map[string]string
	then   string // the command to type, with the run; "" is plan
}

var signs = []sign{
	{
		name: "a listing fails on page 7", rule: faults.Rule{Kind: faults.Denied, From: "plan", Op: "ListObjectsV2", Page: 7, First: 1, Times: -1},
		code: 1, state: state.Succeeded, held: []string{"ListObjectsV2", "thumbnails/", "AccessDenied"}, next: []string{"shuffle doctor", "shuffle plan"},
	},
	{
		name: "Sheets fails for ever", rule: faults.Rule{Kind: faults.InternalError, From: "plan", Op: "values.get", First: 1, Times: -1},
		code: 1, state: state.Succeeded, held: []string{"sheet", "unavailable", "500"}, next: []string{"shuffle doctor", "shuffle plan"},
	},
	{
		name: "Sheets answers in halves", rule: faults.Rule{Kind: faults.Truncated, From: "plan", First: 1, Times: -1},
		code: 1, state: state.Succeeded, held: []string{"sheet", "unavailable"}, next: []string{"shuffle doctor", "shuffle plan"},
	},
	{
		name: "no right to read the sheet", rule: faults.Rule{Kind: faults.Denied, From: "plan", Op: "spreadsheets.get", First: 1, Times: -1},
		code: 1, state: state.Succeeded, held: []string{"sheet", "no permission"}, next: []string{"shuffle plan", "fixed"},
	},
	{
		name: "an empty sheet", rule: faults.Rule{Kind: faults.NoValues, From: "plan", First: 1, Times: -1},
		code: 1, state: state.Succeeded, held: []string{"sheet", "found an empty sheet"}, next: []string{"shuffle plan", "fixed"},
	},
	{
		name: "the quota is used up for a while", rule: faults.Rule{Kind: faults.Quota, From: "plan", First: 1, Times: 2}, state: state.Succeeded,
	},
	{
		name: "the datasets cannot be listed", rule: faults.Rule{Kind: faults.Denied, From: "plan", Op: "ListObjectsV2", Target: "ML/train", First: 1, Times: -1},
		code: 1, state: state.Failed, reason: []string{"planning:", "tuttle_twins/ML/train/", "AccessDenied", "nothing was published"},
	},
	{
		name: "the planner is killed", rule: faults.Rule{Kind: faults.CrashAfter, From: "plan", Op: "PutObject", Target: "plan.json", First: 1}, kills: true,
		code: -1, state: state.Failed, reason: []string{"the planner died while planning", "shuffle plan"},
	},
	{
		name: "tasks purged", rule: faults.Rule{Kind: faults.Event, From: "w1", Op: "CopyObject", First: 5}, purge: queueNames[0],
		state: state.Succeeded, logs: map[string]string{"t1": "the queue is empty: publishing the open tasks again"},
	},
	{
		name: "one frame refused", rule: faults.Rule{Kind: faults.Denied, Op: "CopyObject", Target: "FRM-00-00-01-00", First: 1},
		state: state.Failed, reason: []string{"1 task is dead", "shuffle dead RUN", "shuffle redrive RUN"},
		next: []string{"shuffle dead RUN", "shuffle redrive RUN"}, then: "redrive",
	},
	{
		name: "a worker dies of a task", rule: faults.Rule{Kind: faults.Crash, Op: "CopyObject", Target: "FRM-00-00-01-00", First: 1, Times: 2}, kills: true,
		// Else the tracker may be the first to retry the task.
		env:   []string{"SHUFFLE_MAX_RECEIVE_COUNT=2", "SHUFFLE_STALL=60s"},
		state: state.Failed, reason: []string{"dead", "shuffle redrive RUN"}, then: "redrive",
	},
	{
		name: "the pointer cannot be read", rule: faults.Rule{Kind: faults.Denied, From: "w1", Op: "GetObject", Target: "current.json", First: 1, Times: 5},
		state: state.Succeeded, logs: map[string]string{"w1": "cannot read the pointer; tasks wait"},
	},
	{
		name: "the tracker cannot write", rule: faults.Rule{Kind: faults.Denied, From: "t1", Op: "PutObject", Target: "ledger.json", First: 1, Times: 3},
		state: state.Succeeded, logs: map[string]string{"t1": "saving what was received failed and is tried again"},
	},
	{
		name: "the tracker cannot look", rule: faults.Rule{Kind: faults.Denied, From: "t1", Op: "GetObject", Target: "current.json", First: 1, Times: 3},
		state: state.Succeeded, logs: map[string]string{"t1": "a step failed and is tried again"},
	},
	{
		name: "the worker may not receive", rule: faults.Rule{Kind: faults.Denied, From: "w1", Op: "ReceiveMessage", First: 1, Times: 3},
		state: state.Succeeded, logs: map[string]string{"w1": "cannot receive messages"},
	},
}

func TestSigns(t *testing.T) {
	t.Parallel()
	var g errgroup.Group
	g.SetLimit(5)
	for _, s := range signs {
		w := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil, s.env...)
		g.Go(func() error {
			s.see(t, w)
			return nil
		})
	}
	_ = g.Wait() // each has reported its failure
}

func (s sign) see(t *testing.T, w *world) {
	ctx := t.Context()
	s.rule.Do = func(q faults.Request) {
		if s.purge != "" {
			if err := w.queues[s.purge].PurgeQueue(ctx); err != nil {
				t.Error(err)
			}
		}
		if s.kills {
			w.kill(q.From)
		}
	}
	w.front.Add(s.rule)
	w.serve(services("w1", "t1")...)
	var plan state.Plan
	code, err := w.command(ctx, &plan, "plan", "--json")
	pointer, more := w.ended(ctx)
	if err != nil || more != nil || code != s.code || pointer.State != s.state {
		t.Errorf("%s: plan has exit code %d, %v; the run is %s, %v: %s", s.name, code, err, pointer.State, more, pointer.Reason)
		return
	}
	s.expectSign(t, w, pointer, plan)
	w.front.Calm()
	if s.then != "" {
		if code, err := w.command(ctx, nil, s.then, pointer.Run); err != nil || code != 0 {
			t.Errorf("%s: %s has exit code %d, %v", s.name, s.then, code, err)
		}
		if err := w.succeeds(ctx); err != nil {
			t.Errorf("%s: after %s: %v", s.name, s.then, err)
		}
	}
	for _, err := range []error{w.converge(ctx), w.check(ctx)} {
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

// expectSign looks for the sign in the reasons of the run and of the held episode, in the logs and
// in the output of status.
func (s sign) expectSign(t *testing.T, w *world, pointer state.PointerSnapshot, plan state.Plan) {
	for _, text := range s.reason {
		expectText(t, pointer.Reason, strings.ReplaceAll(text, "RUN", pointer.Run))
	}
	for _, text := range s.held {
		if len(plan.Held()) != 1 {
			t.Errorf("%s: held are %v", s.name, plan.Held())
			break
		}
		expectText(t, plan.Held()[0].Reason, text)
	}
	for name, text := range s.logs {
		body, err := os.ReadFile(filepath.Join(w.dir, name+".log"))
		if err != nil {
			t.Error(err)
		}
		expectText(t, string(body), text)
	}
	var next []string
	for _, text := range s.next {
		next = append(next, strings.ReplaceAll(text, "RUN", pointer.Run))
	}
	w.expectOutput(t, min(1, len(s.held)+len(s.reason)), "status", next...)
}

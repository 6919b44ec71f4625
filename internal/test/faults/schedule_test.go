package faults_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// schedule has the faults and actions of a world, drawn from a seed.
type schedule struct {
	seed      uint64
	frames    int // of each episode
	episodes  int
	workers   int
	trackers  int
	noise     []faults.Rule // faults that can happen all the time
	skewed    bool          // the server's clock, as the processes see it, is wrong by an hour
	clocks    bool          // the processes' own clocks are wrong
	rounds    []round
	restarted time.Duration // the longest time until a service is started again
}

// round is one edit of the sheets, and the run for it.
type round struct {
	relabel, remove, insert, repaint int

	crashes   []crash
	killed    []kill
	drifts    []drift       // sheets that are edited during the run
	forgets   *crash        // settings.json is deleted, at a request or
	forgotten time.Duration // after this time
	shortened int           // number of reads of sheets that lose at least half of the rows
	lost      int           // number of rows that someone deletes; more than the ceiling allows
	purge     string        // the queue to purge, when a worker has copied some frames or
	purged    time.Duration // after this time
	twins     bool          // two planners at the same time
	late      bool          // trackers start when no tasks are left for the workers
	// Process that is stopped for longer than visibility timeout and lease: a service, "plan" or
	// none.
	sleeper   string
	asleep    time.Duration // after this time, where no request triggers it
	cancel    time.Duration // time until the run in force is cancelled; 0: never
	supersede time.Duration // time until another planner takes over; 0: never

	hands    []hand        // actions of people on objects of the state
	missed   []missed      // single answers that an existing object does not exist
	away     time.Duration // how long S3 does not answer
	refused  int           // number of successive writes of ledger.json that are refused
	junk     int           // number of foreign messages on each queue
	foreign  bool          // listings have keys outside the prefix
	folder   string        // action of a person on the folder of the embedded default,
	foldered time.Duration // after this time
}

// crash is a kill -9 at the n-th request of a kind, before the request is executed or before it is
// answered.
type crash struct {
	point
	nth   int
	after bool
}

// point is a point between two lines of the sequences of DESIGN 7 to 9.
type point struct {
	from, op, target string
	most             int // the largest nth to draw
}

var points = []point{
	{"plan", "PutObject", "current.json", 3}, {"plan", "PutObject", "expected-", 1}, {"plan", "PutObject", "tasks-", 1},
	{"plan", "PutObject", "plan.json", 1}, {"plan", "PutObject", "settings.json", 1}, {"plan", "SendMessageBatch", "", 3},
	{"plan", "ListObjectsV2", "ML/", 6}, {"plan", "GetObject", "current.json", 2},
	{"w", "ReceiveMessage", "tasks", 3}, {"w", "GetObject", "current.json", 2}, {"w", "CopyObject", "", 20}, {"w", "DeleteObjects", "", 3},
	{"w", "SendMessageBatch", "results", 3}, {"w", "SendMessageBatch", "dead", 1}, {"w", "DeleteMessageBatch", "tasks", 3},
	{"t", "PutObject", "ledger.json", 3}, {"t", "PutObject", "dead.jsonl", 1}, {"t", "PutObject", "etags-", 1},
	{"t", "DeleteMessageBatch", "results", 3}, {"t", "PutObject", "current.json", 2}, {"t", "ListObjectsV2", "ML/", 10},
	{"t", "PutObject", "versions/", 5}, {"t", "PutObject", "latest.json", 1}, {"t", "PutObject", "report.json", 1},
	{"t", "PutObject", "tasks.csv", 1}, {"t", "SendMessageBatch", "tasks", 1},
}

// drift is an edit of an episode's sheet at the n-th request of a kind: while the planner is
// between two sheets, or publishes, while workers apply and while the tracker verifies.
type drift struct {
	point
	nth     int
	episode int
}

var drifts = []point{
	{"plan", "values.get", "", 3}, {"plan", "SendMessageBatch", "", 4}, {"w", "CopyObject", "", 30}, {"t", "ListObjectsV2", "ML/", 10},
}

// forgettings are the points where settings.json is deleted: before the planner reads it, while it
// publishes, while workers apply and while the tracker counts.
var forgettings = []point{
	{"plan", "GetObject", "settings.json", 2}, {"plan", "SendMessageBatch", "", 4}, {"w", "CopyObject", "", 30}, {"t", "PutObject", "ledger.json", 2},
}

// kill is a kill -9 at any moment.
type kill struct {
	name  string // name of a service, or "plan" for any running planner
	after time.Duration
}

func (c *crash) words() string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(" at %s's %s %s number %d", c.from, c.op, c.target, c.nth)
}

// String describes the schedule.
func (s schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d episodes of %d frames, %d workers, %d trackers", s.seed, s.episodes, s.frames, s.workers, s.trackers)
	if s.skewed {
		b.WriteString(", the server's clock an hour wrong")
	}
	if s.clocks {
		// The names of planners change all the time.
		for _, name := range []string{"w1", "w2", "t1", "t2"} {
			fmt.Fprintf(&b, ", %s's clock wrong by %s", name, clockOf(s.seed, name))
		}
	}
	for _, n := range s.noise {
		fmt.Fprintf(&b, "\n  all the time: %s of %.0f%% %s %s", n.Kind, 100*n.Share, n.Op, n.Target)
		if n.Page > 0 {
			fmt.Fprintf(&b, "page %d", n.Page)
		}
	}
	for i, r := range s.rounds {
		fmt.Fprintf(&b, "\n  round %d: %d relabelled, %d removed, %d inserted, %d repainted", i+1, r.relabel, r.remove, r.insert, r.repaint)
		for _, c := range r.crashes {
			when := "before"
			if c.after {
				when = "after"
			}
			fmt.Fprintf(&b, "; kill %s %s its %s %s number %d", c.from, when, c.op, c.target, c.nth)
		}
		for _, k := range r.killed {
			fmt.Fprintf(&b, "; kill %s after %s", k.name, k.after)
		}
		for _, d := range r.drifts {
			fmt.Fprintf(&b, "; sheet %d edited at %s's %s number %d", d.episode+1, d.from, d.op, d.nth)
		}
		b.WriteString(r.words())
	}
	return b.String()
}

func (r round) words() (text string) {
	for _, w := range []struct {
		is   bool
		text string
	}{
		{r.lost > 0, fmt.Sprintf("; %d rows lost", r.lost)}, {r.shortened > 0, fmt.Sprintf("; %d sheets read in part", r.shortened)},
		{r.purge != "", "; " + r.purge + " purged"}, {r.twins, "; two planners"}, {r.late, "; trackers late"},
		{r.forgets != nil, "; settings.json deleted" + r.forgets.words()}, {r.sleeper != "", "; " + r.sleeper + " sleeps"},
		{r.away > 0, "; S3 away for " + r.away.String()}, {r.refused > 0, fmt.Sprintf("; ledger.json refused %d times", r.refused)},
		{r.junk > 0, fmt.Sprintf("; %d junk messages", r.junk)}, {r.foreign, "; keys outside the prefix"}, {r.folder != "", "; the folder " + r.folder}, {r.cancel > 0, "; cancelled after " + r.cancel.String()}, {r.supersede > 0, "; superseded after " + r.supersede.String()},
	} {
		if w.is {
			text += w.text
		}
	}
	for _, h := range r.hands {
		text += fmt.Sprintf("; %s %s at %s's %s number %d", h.object, h.how, h.from, h.op, h.nth)
	}
	for _, m := range r.missed {
		text += fmt.Sprintf("; answer %d of %s is that there is none", m.nth, m.object)
	}
	return text
}

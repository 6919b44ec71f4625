package faults_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/faults"
)

// schedule is what happens to a world, drawn from a seed.
type schedule struct {
	seed      uint64
	frames    int
	workers   int
	trackers  int
	noise     []faults.Rule // all the time
	skewed    bool          // the processes' clocks differ by an hour
	rounds    []round
	restarted time.Duration // after how long a service is started again, at most
}

// round is one edit of the sheets and the run for it.
type round struct {
	relabel, remove, insert, repaint int

	crashes   []crash
	killed    []kill
	purge     string        // the queue to purge, when a worker has copied some frames
	twins     bool          // two planners at once
	late      bool          // trackers begin when nothing is left for the workers
	sleeper   string        // who is stopped for longer than messages are hidden and leases hold: a service, "plan" or nobody
	cancel    time.Duration // the run in force is cancelled after so long; 0: it is not
	supersede time.Duration // another planner takes over after so long; 0: none does
}

// crash is a kill -9 at the n-th request of a kind, before it is carried out or before it is answered.
type crash struct {
	point
	nth   int
	after bool
}

// point is between two lines of the sequences of DESIGN 7 to 9.
type point struct {
	from, op, target string
	most             int // nth is drawn up to this
}

var points = []point{
	{"plan", "PutObject", "current.json", 3}, {"plan", "PutObject", "expected-", 1}, {"plan", "PutObject", "tasks-", 1},
	{"plan", "PutObject", "plan.json", 1}, {"plan", "PutObject", "seed.json", 1}, {"plan", "SendMessageBatch", "", 3},
	{"plan", "ListObjectsV2", "ML/", 6}, {"plan", "GetObject", "current.json", 2},
	{"w", "ReceiveMessage", "tasks", 3}, {"w", "GetObject", "current.json", 2}, {"w", "CopyObject", "", 20}, {"w", "DeleteObjects", "", 3},
	{"w", "SendMessageBatch", "results", 3}, {"w", "SendMessageBatch", "dead", 1}, {"w", "DeleteMessageBatch", "tasks", 3},
	{"t", "PutObject", "ledger.json", 3}, {"t", "PutObject", "dead.jsonl", 1}, {"t", "PutObject", "etags-", 1},
	{"t", "DeleteMessageBatch", "results", 3}, {"t", "PutObject", "current.json", 2}, {"t", "ListObjectsV2", "ML/", 10},
	{"t", "PutObject", "versions/", 5}, {"t", "PutObject", "latest.json", 1}, {"t", "PutObject", "report.json", 1},
	{"t", "PutObject", "tasks.csv", 1}, {"t", "SendMessageBatch", "tasks", 1},
}

// kill is a kill -9 at any moment.
type kill struct {
	name  string // of a service, or "plan" for whichever planner is there
	after time.Duration
}

// noises are what may happen all the time, with the largest share of the requests that it may happen to.
var noises = []struct {
	rule faults.Rule
	most float64
}{
	{faults.Rule{Kind: faults.InternalError}, 0.1},
	{faults.Rule{Kind: faults.SlowDown}, 0.1},
	{faults.Rule{Kind: faults.Cut}, 0.05},
	{faults.Rule{Kind: faults.Slow}, 0.05},
	{faults.Rule{Kind: faults.AppliedError}, 0.1},
	{faults.Rule{Kind: faults.AppliedCut}, 0.05},
	{faults.Rule{Kind: faults.Hang, Op: "CopyObject"}, 0.03},
	{faults.Rule{Kind: faults.Hang, Op: "DeleteObjects"}, 0.1},
	{faults.Rule{Kind: faults.Hang, Op: "GetObject", Target: "current.json"}, 0.1},
	{faults.Rule{Kind: faults.SlowDown, Op: "CopyObject"}, 0.5},
	{faults.Rule{Kind: faults.InternalError, Op: "CopyObject"}, 0.3},
	{faults.Rule{Kind: faults.AppliedError, Op: "DeleteObjects"}, 0.5},
	{faults.Rule{Kind: faults.AppliedCut, Op: "PutObject", Target: "current.json"}, 0.3},
	{faults.Rule{Kind: faults.AppliedError, Op: "PutObject", Target: "shuffle/"}, 0.2},
	{faults.Rule{Kind: faults.Conflict}, 0.2},
	{faults.Rule{Kind: faults.Precondition}, 0.2},
	{faults.Rule{Kind: faults.InternalError, Op: "ListObjectsV2", Page: 7}, 0.9},
	{faults.Rule{Kind: faults.Denied, Op: "ListObjectsV2", Page: 7}, 0.5},
	{faults.Rule{Kind: faults.Cut, Op: "ListObjectsV2", Page: 7}, 0.9},
	{faults.Rule{Kind: faults.FailedEntries}, 0.3},
	{faults.Rule{Kind: faults.Duplicated}, 0.3},
	{faults.Rule{Kind: faults.Delayed}, 0.3},
	{faults.Rule{Kind: faults.Redelivered}, 0.2},
	{faults.Rule{Kind: faults.Reordered}, 1},
	{faults.Rule{Kind: faults.LostReceive}, 0.1},
	{faults.Rule{Kind: faults.LostDelete}, 0.3},
	{faults.Rule{Kind: faults.WrongCounts}, 1},
}

// draw makes the schedule of a seed.
func draw(seed uint64) schedule {
	r := rand.New(rand.NewPCG(seed, 0))
	s := schedule{
		seed: seed, frames: 36 + r.IntN(40), workers: 2 + r.IntN(2), trackers: 1, skewed: chance(r, 4),
		restarted: time.Duration(1+r.IntN(4)) * time.Second,
	}
	if chance(r, 3) {
		s.trackers = 2
	}
	for range 2 + r.IntN(4) {
		n := noises[r.IntN(len(noises))]
		n.rule.Share = n.most * (0.2 + 0.8*r.Float64())
		s.noise = append(s.noise, n.rule)
	}
	for i := range 1 + r.IntN(2) {
		s.rounds = append(s.rounds, s.round(r, i))
	}
	return s
}

func chance(r *rand.Rand, in int) bool { return r.IntN(in) == 0 }

func (s *schedule) round(r *rand.Rand, i int) round {
	var n round
	if i > 0 {
		n.relabel, n.remove, n.insert, n.repaint = 4+r.IntN(8), r.IntN(3), r.IntN(4), r.IntN(3)
	}
	for range r.IntN(3) {
		p := points[r.IntN(len(points))]
		n.crashes = append(n.crashes, crash{p, 1 + r.IntN(p.most), chance(r, 2)})
	}
	if chance(r, 3) {
		names := []string{"plan", "w1", "w2", "t1"}
		n.killed = append(n.killed, kill{names[r.IntN(len(names))], time.Duration(r.IntN(12_000)) * time.Millisecond})
	}
	if chance(r, 5) {
		n.purge = queueNames[r.IntN(len(queueNames))]
	}
	n.twins, n.late = chance(r, 5), chance(r, 6) && i == 0
	sleeps := chance(r, 4)
	if sleeps || chance(r, 5) {
		n.supersede = time.Duration(500+r.IntN(9000)) * time.Millisecond
	}
	if sleeps {
		n.sleeper = []string{"w1", "w1", "plan", "t1"}[r.IntN(4)]
	}
	if chance(r, 10) {
		n.cancel = time.Duration(500+r.IntN(9000)) * time.Millisecond
	}
	return n
}

// String tells the schedule in words.
func (s schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d frames, %d workers, %d trackers", s.seed, s.frames, s.workers, s.trackers)
	if s.skewed {
		b.WriteString(", clocks an hour apart")
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
		b.WriteString(r.words())
	}
	return b.String()
}

func (r round) words() (text string) {
	for _, w := range []struct {
		is   bool
		text string
	}{
		{r.purge != "", "; " + r.purge + " purged"}, {r.twins, "; two planners"}, {r.late, "; trackers late"},
		{r.sleeper != "", "; " + r.sleeper + " sleeps"}, {r.cancel > 0, "; cancelled after " + r.cancel.String()}, {r.supersede > 0, "; superseded after " + r.supersede.String()},
	} {
		if w.is {
			text += w.text
		}
	}
	return text
}

package faults_test

import (
	"math/rand/v2"
	"time"

	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// noises are the faults that can happen all the time, with the largest share of the requests that
// each may affect.
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

// sheetNoises are the noises of the Sheets API.
var sheetNoises = []struct {
	rule faults.Rule
	most float64
}{
	{faults.Rule{Kind: faults.Quota}, 0.4},
	{faults.Rule{Kind: faults.Truncated}, 0.6},
	{faults.Rule{Kind: faults.NoValues}, 0.4},
	{faults.Rule{Kind: faults.InternalError, Op: "values.get"}, 0.6},
	{faults.Rule{Kind: faults.SlowDown, Op: "spreadsheets.get"}, 0.6},
	{faults.Rule{Kind: faults.Cut, Op: "values.get"}, 0.6},
	{faults.Rule{Kind: faults.Denied, Op: "values.get"}, 0.4},
	{faults.Rule{Kind: faults.Slow, Op: "values.get"}, 1},
	{faults.Rule{Kind: faults.Hang, Op: "values.get"}, 0.1},
}

// draw returns the schedule of a seed, for a world behind a front.
func draw(seed uint64) schedule {
	r := rand.New(rand.NewPCG(seed, 0))
	s := schedule{
		seed: seed, frames: 36 + r.IntN(40), episodes: 1, workers: 2 + r.IntN(2), trackers: 1, skewed: chance(r, 4),
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
	s.drawMore(rand.New(rand.NewPCG(seed, 2)))
	s.drawHands(rand.New(rand.NewPCG(seed, 5)))
	return s
}

// drawMore draws the faults that were added later, from a random source of its own. So the rest of
// a seed's schedule does not change.
func (s *schedule) drawMore(r *rand.Rand) {
	s.clocks = chance(r, 2)
	if chance(r, 3) {
		s.episodes = 2
	}
	for range r.IntN(3) {
		n := sheetNoises[r.IntN(len(sheetNoises))]
		n.rule.Share = n.most * (0.2 + 0.8*r.Float64())
		s.noise = append(s.noise, n.rule)
	}
	for i := range s.rounds {
		n := &s.rounds[i]
		if chance(r, 8) {
			n.crashes = append(n.crashes, crash{point{"plan", "values.get", "", 2}, 1 + r.IntN(2), chance(r, 2)})
		}
		for range r.IntN(3) {
			d := drifts[r.IntN(len(drifts))]
			n.drifts = append(n.drifts, drift{d, 1 + r.IntN(d.most), r.IntN(s.episodes)})
		}
		if i > 0 && chance(r, 4) {
			n.shortened = 1 + r.IntN(3)
		}
	}
	if lost := r.IntN(8); chance(r, 4) {
		s.rounds = append(s.rounds, round{lost: 22 + lost})
	}
	for i := range s.rounds {
		if p := forgettings[r.IntN(len(forgettings))]; chance(r, 4) {
			s.rounds[i].forgets = &crash{p, 1 + r.IntN(p.most), false}
		}
	}
	if last := s.rounds[len(s.rounds)-1]; last.lost > 0 || last.shortened > 0 {
		s.frames = max(s.frames, 50) // so that half of them are more than any ceiling allows
	}
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

// drawLocalStack draws a schedule for a LocalStack, which is slow.
func drawLocalStack(seed uint64) schedule {
	s := draw(seed)
	s.frames, s.episodes = 12+int(seed%8), 1
	for i := range s.rounds {
		n := &s.rounds[i]
		n.lost, n.shortened, n.drifts = 0, 0, nil
		n.relabel = min(n.relabel, 6)
		n.away, n.junk = min(n.away, 20*time.Second), min(n.junk, 10)
	}
	return s
}

// drawLocal draws a schedule for the embedded default. It has no requests that a fault could
// affect. Instead, processes are killed and stopped, and queues are purged, at certain times.
func drawLocal(seed uint64) schedule {
	r := rand.New(rand.NewPCG(seed, 3))
	s := schedule{
		seed: seed, frames: 300 + r.IntN(500), episodes: 1, workers: 2 + r.IntN(2), trackers: 1 + r.IntN(2),
		restarted: time.Duration(1+r.IntN(2)) * time.Second,
	}
	for i := range 1 + r.IntN(3) {
		var n round
		if i > 0 {
			n.relabel, n.remove, n.insert, n.repaint = 50+r.IntN(100), r.IntN(10), r.IntN(10), r.IntN(10)
		}
		soon := func() time.Duration { return time.Duration(r.IntN(4000)) * time.Millisecond }
		names := []string{"plan", "plan", "w1", "w2", "t1"}
		for range 1 + r.IntN(6) {
			n.killed = append(n.killed, kill{names[r.IntN(len(names))], soon()})
		}
		if chance(r, 3) {
			n.purge, n.purged = queueNames[r.IntN(len(queueNames))], soon()
		}
		n.twins, n.late = chance(r, 3), chance(r, 5) && i == 0
		if chance(r, 3) {
			n.sleeper, n.asleep = names[r.IntN(len(names))], soon()
		}
		if n.sleeper != "" || chance(r, 4) {
			n.supersede = 500*time.Millisecond + soon()
		}
		if chance(r, 8) {
			n.cancel = soon()
		}
		s.rounds = append(s.rounds, n)
	}
	r = rand.New(rand.NewPCG(seed, 4)) // added later
	for i := range s.rounds {
		if chance(r, 3) {
			s.rounds[i].forgets, s.rounds[i].forgotten = &crash{}, time.Duration(r.IntN(4000))*time.Millisecond
		}
	}
	s.drawFolder(rand.New(rand.NewPCG(seed, 6)))
	return s
}

package tracker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// maxRound bounds the rounds of a run. Each is a redrive by a person or a stall of minutes.
const maxRound = 100_000

// Ledger is how a run's tasks ended: a set of reports, and a set of publications. It only grows,
// and Merge is the union. So ledgers that have seen the same reports are equal, in whatever order
// and however often the reports came.
//
// A task may be reported more than once. Each reading decides from the sets what counts:
//
//	any done outcome, in any round              | done
//	dead, in the last round of the task or later | dead
//	superseded, likewise                         | superseded
//	nothing else                                 | open
//
// The first line that fits decides. The last round of a task is the last in which it was published:
// publishing a dead task again opens it, and a dead report of the publication before no longer
// counts, even if it comes late. A report may also come before its round is known here.
type Ledger struct {
	Run        string
	Generation int64
	Tasks      int

	reports map[report]*roaring.Bitmap
	rounds  map[uint32]*roaring.Bitmap // published again; round 0, the plan's own, has every task
	samples []state.Sample             // by second, at most state.MaxSamples
	first   time.Time
	last    time.Time
}

// report is what a set of tasks was reported as. The round of a done outcome does not matter and is
// 0.
type report struct {
	outcome messages.Outcome
	round   uint32
}

// errRefused means that a report cannot be of the run.
var errRefused = errors.New("not a report of this run")

// NewLedger returns a ledger in which all tasks are open.
func NewLedger(run string, generation int64, tasks int) *Ledger {
	return &Ledger{
		Run: run, Generation: generation, Tasks: tasks,
		reports: map[report]*roaring.Bitmap{}, rounds: map[uint32]*roaring.Bitmap{},
	}
}

// Add adds one report. It refuses a seq that the run does not have.
func (l *Ledger) Add(seq uint32, outcome messages.Outcome, round uint32) error {
	if int64(seq) >= int64(l.Tasks) || round > maxRound {
		return fmt.Errorf("%w: seq %d, round %d of a run with %d tasks", errRefused, seq, round, l.Tasks)
	}
	key := report{outcome, round}
	if outcome.IsDone() {
		key.round = 0
	}
	set(l.reports, key).Add(seq)
	return nil
}

// Publish records that tasks are published in a round.
func (l *Ledger) Publish(round uint32, seqs *roaring.Bitmap) {
	set(l.rounds, round).Or(seqs)
}

// Round is the last known round; 0 when nothing was published again.
func (l *Ledger) Round() uint32 {
	last := uint32(0)
	for round := range l.rounds {
		last = max(last, round)
	}
	return last
}

func set[K comparable](sets map[K]*roaring.Bitmap, key K) *roaring.Bitmap {
	if sets[key] == nil {
		sets[key] = roaring.New()
	}
	return sets[key]
}

// RecordArrival records when a result came.
func (l *Ledger) RecordArrival(at time.Time) {
	at = at.UTC().Truncate(time.Second)
	l.widen(at, at)
}

func (l *Ledger) widen(first, last time.Time) {
	if !first.IsZero() && (l.first.IsZero() || first.Before(l.first)) {
		l.first = first
	}
	if last.After(l.last) {
		l.last = last
	}
}

// Sample records how many tasks are accounted for at a time.
func (l *Ledger) Sample(at time.Time) {
	l.addSamples([]state.Sample{{Second: at.Unix(), Accounted: l.Tasks - int(l.Open().GetCardinality())}})
}

// addSamples makes the union by second, and keeps the newest.
func (l *Ledger) addSamples(more []state.Sample) {
	all := map[int64]int{}
	for _, s := range slices.Concat(l.samples, more) {
		all[s.Second] = max(all[s.Second], s.Accounted)
	}
	seconds := slices.Sorted(maps.Keys(all))
	seconds = seconds[max(0, len(seconds)-state.MaxSamples):]
	l.samples = make([]state.Sample, len(seconds))
	for i, t := range seconds {
		l.samples[i] = state.Sample{Second: t, Accounted: all[t]}
	}
}

// Merge makes the ledger the union of both. They are of the same run.
func (l *Ledger) Merge(o *Ledger) {
	for key, seqs := range o.reports {
		set(l.reports, key).Or(seqs)
	}
	for round, seqs := range o.rounds {
		set(l.rounds, round).Or(seqs)
	}
	l.addSamples(o.samples)
	l.widen(o.first, o.last)
}

// Done are the tasks that were applied.
func (l *Ledger) Done() *roaring.Bitmap {
	done := roaring.New()
	for key, seqs := range l.reports {
		if key.outcome.IsDone() {
			done.Or(seqs)
		}
	}
	return done
}

// Dead are the tasks that were given up.
func (l *Ledger) Dead() *roaring.Bitmap { return l.split().dead }

// Superseded are the tasks that were not applied since the run was not in force.
func (l *Ledger) Superseded() *roaring.Bitmap { return l.split().superseded }

// Open are the tasks that have not been accounted for.
func (l *Ledger) Open() *roaring.Bitmap { return l.split().open }

// split sorts every task into one of four sets.
func (l *Ledger) split() (s struct{ done, dead, superseded, open *roaring.Bitmap }) {
	s.done = l.Done()
	s.dead = l.counting(messages.Dead)
	s.dead.AndNot(s.done)
	s.superseded = l.counting(messages.Superseded)
	s.superseded.AndNot(s.done)
	s.superseded.AndNot(s.dead)
	s.open = l.all()
	for _, accounted := range []*roaring.Bitmap{s.done, s.dead, s.superseded} {
		s.open.AndNot(accounted)
	}
	return s
}

// Outcome of a task; "" while it is open.
func (l *Ledger) Outcome(seq uint32) messages.Outcome {
	for _, o := range messages.Outcomes {
		if seqs := l.reports[report{outcome: o}]; o.IsDone() && seqs != nil && seqs.Contains(seq) {
			return o
		}
	}
	switch s := l.split(); {
	case s.dead.Contains(seq):
		return messages.Dead
	case s.superseded.Contains(seq):
		return messages.Superseded
	}
	return ""
}

func (l *Ledger) all() *roaring.Bitmap {
	all := roaring.New()
	all.AddRange(0, uint64(l.Tasks))
	return all
}

// counting returns the tasks with such a report of their last round or later.
func (l *Ledger) counting(outcome messages.Outcome) *roaring.Bitmap {
	// From the last round back: reported grows by each round's reports, later by the tasks that
	// were published in it.
	rounds := map[uint32]bool{0: true}
	for round := range l.rounds {
		rounds[round] = true
	}
	for key := range l.reports {
		rounds[key.round] = true
	}
	counts, reported, later := roaring.New(), roaring.New(), roaring.New()
	for _, round := range slices.Backward(slices.Sorted(maps.Keys(rounds))) {
		if seqs := l.reports[report{outcome, round}]; seqs != nil {
			reported.Or(seqs)
		}
		last := l.rounds[round]
		if round == 0 {
			last = l.all()
		}
		if last == nil {
			continue
		}
		last = roaring.AndNot(last, later)
		later.Or(last)
		last.And(reported)
		counts.Or(last)
	}
	return counts
}

// Progress is the ledger in numbers.
func (l *Ledger) Progress() state.Progress {
	s := l.split()
	p := state.Progress{
		Tasks: l.Tasks, Done: int(s.done.GetCardinality()), Dead: int(s.dead.GetCardinality()),
		Superseded: int(s.superseded.GetCardinality()), Open: int(s.open.GetCardinality()),
		Outcomes: map[messages.Outcome]int{}, Samples: l.samples, First: l.first, Last: l.last,
	}
	counted := roaring.New() // a forged report may give one task two done outcomes
	for _, o := range messages.Outcomes {
		if seqs := l.reports[report{outcome: o}]; o.IsDone() && seqs != nil {
			p.Outcomes[o] = int(roaring.AndNot(seqs, counted).GetCardinality())
			counted.Or(seqs)
		} else {
			p.Outcomes[o] = 0
		}
	}
	p.Outcomes[messages.Dead], p.Outcomes[messages.Superseded] = p.Dead, p.Superseded
	return p
}

// readLedger reads a run's ledger. It returns an empty one when there is none yet.
func readLedger(ctx context.Context, store *state.Store, run string, generation int64, tasks int) (*Ledger, error) {
	c, err := store.Read(ctx, state.RunName(run, state.LedgerName))
	if errors.Is(err, bucket.ErrNotFound) {
		return NewLedger(run, generation, tasks), nil
	}
	if err != nil {
		return nil, err
	}
	return parseLedger(c.Body, run, generation, tasks), nil
}

// parseLedger reads ledger.json. A damaged one, or one of another run, counts as none: tasks that
// it had as done are open then, are published again after Stall, and turn out to be done. That
// costs time only.
func parseLedger(body []byte, run string, generation int64, tasks int) *Ledger {
	l := NewLedger(run, generation, tasks)
	if body == nil || state.Unseal(body, l) == nil && l.Run == run && l.Generation == generation && l.Tasks == tasks {
		return l
	}
	return NewLedger(run, generation, tasks)
}

// updateLedger changes a run's ledger by a union and a conditional write, and returns it as saved.
// change returns false to leave it unchanged. It is called again after a conflict.
func updateLedger(ctx context.Context, store *state.Store, run string, generation int64, tasks int, change func(*Ledger) bool) (*Ledger, error) {
	var l *Ledger
	err := store.Update(ctx, state.RunName(run, state.LedgerName), func(old []byte) ([]byte, error) {
		l = parseLedger(old, run, generation, tasks)
		if !change(l) {
			return nil, nil
		}
		return state.Seal(l)
	})
	return l, err
}

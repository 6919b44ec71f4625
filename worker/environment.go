package worker

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Runs knows the runs of the worker's own environment: *state.Store.
type Runs interface {
	HasRun(ctx context.Context, run string) (bool, error)
	ReadTasks(ctx context.Context, run string, chunk int) ([]messages.Task, error)
	NoteEnvironment(ctx context.Context, seen state.OtherEnvironment) error
}

var (
	// errNotOurs: the task is of another environment, which shares the queues by mistake.
	errNotOurs = errors.New("the task is of another environment")
	// errNotPlanned: the run's plan has another task of that number. The message is forged or damaged.
	errNotPlanned = errors.New("the run's plan has no such task")
)

// ours says by errNotOurs that the run of a task, which is not in force, is of another environment with the same
// scope: two folders of one name. Only names that no two environments can have tell that. (A run of this one is in its
// state before its first task is sent.)
func (a *applier) ours(ctx context.Context, d *delivery) error {
	if a.runs == nil || !state.UniqueRun(d.task.Run) {
		return nil
	}
	return a.patiently(ctx, d, func() error {
		known, err := a.runs.HasRun(ctx, d.task.Run)
		if err == nil && !known {
			return errNotOurs
		}
		return err
	})
}

// planned compares the task with the one that its run's plan has of that number. Keys may be allowed and still not be
// what was planned, in a message that was forged or damaged.
func (a *applier) planned(ctx context.Context, d *delivery) error {
	if a.runs == nil {
		return nil
	}
	return a.patiently(ctx, d, func() error { return a.plan.check(ctx, &d.task) })
}

// patiently asks the state until it answers, as long as a delivery may wait. The state that this worker may not read,
// by the rights of an earlier build, is not asked again and says nothing against the task.
func (a *applier) patiently(ctx context.Context, d *delivery, ask func() error) error {
	for try := 0; ; try++ {
		err := ask()
		kind, _ := classify(err)
		switch {
		case err == nil, errors.Is(err, errNotOurs), errors.Is(err, errNotPlanned):
			return err
		case ctx.Err() != nil:
			return errStopping
		case kind == permanent:
			a.unread.Do(func() {
				a.log.Warn("cannot read the plans of the runs, so tasks are applied without a look at them; grant s3:GetObject and s3:ListBucket on "+
					a.layout.State()+"runs/*", zap.Error(err))
			})
			return nil
		case time.Since(d.received) > maxHold:
			return &waitedError{cause: err}
		case !sleep(ctx, jitter(100*time.Millisecond, try, 5*time.Second), a.stopping):
			return errStopping
		}
	}
}

// plan holds the tasks that the run in force has, as a hash of each: 80 kB for 10,000 tasks.
type plan struct {
	runs Runs
	log  *zap.Logger
	seed maphash.Seed // drawn by each process, so that a task of a given hash cannot be made

	mu     sync.Mutex
	run    string
	chunks map[int]*chunk
}

// chunk is read by the first who needs it. The others wait for their turn, which ends with their contexts.
type chunk struct {
	turn chan struct{}
	// hashes is nil until the chunk is read. An empty list is of one that is gone or damaged, and is compared with nothing.
	hashes atomic.Pointer[[]uint64]
}

func newPlan(runs Runs, log *zap.Logger) *plan {
	return &plan{runs: runs, log: log, seed: maphash.MakeSeed()}
}

// check is errNotPlanned for a task that is not the planned one. Another error means that the plan cannot be read now.
func (p *plan) check(ctx context.Context, t *messages.Task) error {
	n, i := int(t.Seq)/state.ChunkTasks, int(t.Seq)%state.ChunkTasks
	c := p.chunkOf(t.Run, n)
	if c.hashes.Load() == nil {
		if err := p.fill(ctx, c, t.Run, n); err != nil {
			return err
		}
	}
	hashes := *c.hashes.Load()
	if len(hashes) > 0 && (i >= len(hashes) || hashes[i] != p.hash(t)) {
		return errNotPlanned
	}
	return nil
}

func (p *plan) chunkOf(run string, n int) *chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != run {
		p.run, p.chunks = run, map[int]*chunk{}
	}
	c := p.chunks[n]
	if c == nil {
		c = &chunk{turn: make(chan struct{}, 1)}
		p.chunks[n] = c
	}
	return c
}

// fill reads a chunk. One that is missing or damaged counts as read: its tasks were checked by their keys, and the end
// of the run is verified against what is left of its plan.
func (p *plan) fill(ctx context.Context, c *chunk, run string, n int) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.hashes.Load() != nil {
		return nil // read meanwhile
	}
	tasks, err := p.runs.ReadTasks(ctx, run, n)
	var failed *bucket.Error
	if err != nil && (ctx.Err() != nil || errors.As(err, &failed) && !errors.Is(err, bucket.ErrNotFound)) {
		return err
	}
	if err != nil {
		tasks = nil
		p.log.Warn("the saved tasks of the run are missing or damaged; tasks are applied without a look at them", zap.String("run", run),
			zap.Int("chunk", n), zap.Error(err))
	}
	hashes := make([]uint64, len(tasks))
	for i := range tasks {
		hashes[i] = p.hash(&tasks[i])
	}
	c.hashes.Store(&hashes)
	return nil
}

// hash is of all that a task asks for, whatever its round.
func (p *plan) hash(t *messages.Task) uint64 {
	return maphash.Comparable(p.seed, struct {
		run, frame, src, srcETag, dst, scope string
		del                                  string // no key has a line break
		gen                                  int64
		seq                                  uint32
		op                                   messages.Op
	}{t.Run, string(t.Frame), t.Src, t.SrcETag, t.Dst, t.Scope, strings.Join(t.Del, "\n"), t.Gen, t.Seq, t.Op})
}

// others keeps which other environments use the queues, and says so once for each.
type others struct {
	runs Runs // may be nil
	gate *gate
	log  *zap.Logger

	late atomic.Int32 // tasks that turned out to be others' only when they were worked on, since the last poll

	mu     sync.Mutex
	met    map[string]string // scope → run of its last task, since the last note
	logged map[string]bool
	noted  time.Time
}

const (
	maxOthers = 16 // anybody who may send to the queue can name scopes
	// noteEvery is how often it is written down again that others use the queues.
	noteEvery   = time.Minute
	noteTimeout = 5 * time.Second
)

// meet takes in that a task of another environment has come.
func (o *others) meet(t *messages.Task) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.met == nil {
		o.met, o.logged = map[string]string{}, map[string]bool{}
	}
	if _, again := o.met[t.Scope]; again || len(o.met) < maxOthers {
		o.met[t.Scope] = t.Run
	}
	if !o.logged[t.Scope] && len(o.logged) < maxOthers {
		o.logged[t.Scope] = true
		o.log.Warn("another environment uses these queues: its tasks are given back untouched; give each environment queues of its own "+
			"(SHUFFLE_TASKS_QUEUE, SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE)",
			zap.String("scope", plain(t.Scope, maxCode)), zap.String("run", plain(t.Run, maxCode)))
	}
}

// note writes down which others were met, for status. A worker that may not write the state leaves it to the tracker.
func (o *others) note(ctx context.Context) {
	o.mu.Lock()
	met := o.met
	if o.runs == nil || len(met) == 0 || time.Since(o.noted) < noteEvery {
		o.mu.Unlock()
		return
	}
	o.met, o.noted = map[string]string{}, time.Now()
	o.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	v, _, err := o.gate.fresh(ctx, time.Time{})
	if err != nil {
		return // the pointer cannot be read now; others that stay are met again
	}
	for scope, run := range met {
		seen := state.OtherEnvironment{Scope: scope, Queue: "tasks", Run: run, Generation: v.held.Generation, Seen: time.Now().UTC().Truncate(time.Second)}
		if err := o.runs.NoteEnvironment(ctx, seen); err != nil {
			o.log.Debug("cannot note that another environment uses the queues", zap.Error(err))
		}
	}
}

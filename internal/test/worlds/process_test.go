package worlds

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/memqueue"
	"github.com/angel-nft/google-shuffle/planner"
	"github.com/angel-nft/google-shuffle/tracker"
	"github.com/angel-nft/google-shuffle/worker"
)

// process is one running program. A killed process continues for a while, because its goroutines
// must end, but its calls have no effect.
type process struct {
	world  *world
	name   string
	number int // order of the starts
	main   func(ctx context.Context, p *process) error
	// again is how often the process is started again after it was killed or has failed; -1 is
	// always.
	again int

	ctx    context.Context //nolint:containedctx // The life of the process.
	cancel context.CancelFunc
	killed chan struct{}
	frozen time.Time // its calls wait until then

	replaced bool // it was killed, terminated or has failed, and its replacement was arranged

	generation int64  // of the run that it plans
	read       sheets // the sheets when it read them

	ended bool // guarded by world.mu
	err   error
	done  chan struct{}
}

// restart is a process that will be started again.
type restart struct {
	at   time.Time
	proc *process
}

// restartAfter is the time that a service manager, or a person, needs to start a program again.
const restartAfter = 3 * time.Second

// services is the value of again for a service: a service manager always starts it again.
const services = -1

// start starts a program.
func (w *world) start(name string, again int, main func(ctx context.Context, p *process) error) *process {
	p := &process{world: w, name: name, main: main, again: again, read: sheets{}, killed: make(chan struct{}), done: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	w.mu.Lock()
	p.number = len(w.procs)
	w.procs = append(w.procs, p)
	w.mu.Unlock()
	go p.run()
	return p
}

func (p *process) run() {
	defer close(p.done)
	err := p.main(p.ctx, p)
	p.world.mu.Lock()
	p.ended, p.err = true, err
	p.world.mu.Unlock()
	p.world.wake()
}

// kill ends a process at once.
func (w *world) kill(p *process) {
	if p.isKilled() {
		return
	}
	close(p.killed)
	p.cancel()
	kept := w.pending[:0]
	for _, c := range w.pending {
		if c.proc != p {
			kept = append(kept, c)
		}
	}
	w.pending = kept
	w.startAgain(p)
}

func (p *process) isKilled() bool {
	select {
	case <-p.killed:
		return true
	default:
		return false
	}
}

// terminate sends SIGTERM.
func (w *world) terminate(p *process) {
	p.cancel()
	w.startAgain(p)
}

// startAgain schedules another start of a program, once for each process.
func (w *world) startAgain(p *process) {
	if p.again != 0 && !p.replaced {
		w.restarts = append(w.restarts, restart{time.Now().Add(restartAfter), p})
	}
	p.replaced = true
}

// restart starts the programs that are due.
func (w *world) restart() {
	var later []restart
	for _, r := range w.restarts {
		if r.at.After(time.Now()) {
			later = append(later, r)
			continue
		}
		w.start(r.proc.name, max(r.proc.again-1, min(r.proc.again, 0)), r.proc.main)
	}
	w.restarts = later
}

// running reports whether a planner or a person's command is running, or will be started again.
func (w *world) running() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.procs {
		if p.again >= 0 && !p.ended && !p.isKilled() && p.name != "operator" {
			return true
		}
	}
	for _, r := range w.restarts {
		if r.proc.again >= 0 {
			return true
		}
	}
	return false
}

// restartFailed restarts the programs that have ended with an error that may be transient.
func (w *world) restartFailed() {
	w.mu.Lock()
	var ended []*process
	for _, p := range w.procs {
		if p.ended && p.err != nil && !p.replaced {
			ended = append(ended, p)
		}
	}
	w.mu.Unlock()
	for _, p := range ended {
		var active *planner.ActiveError
		if errors.As(p.err, &active) || errors.Is(p.err, planner.ErrUsage) || errors.Is(p.err, state.ErrConflict) {
			p.replaced = true
			continue
		}
		w.startAgain(p)
	}
}

func (p *process) store() *state.Store { return &state.Store{Bucket: bucketPort{p}, Layout: layout} }

func (p *process) queue(name string) queuePort {
	q := map[string]*memqueue.Queue{tasksQueue: p.world.tasks, resultsQueue: p.world.results, lettersQueue: p.world.letters}[name]
	return queuePort{p, name, q}
}

// stall is short, because every second of it costs steps.
const stall = 40 * time.Second

func (p *process) tracker() *tracker.Tracker {
	limit, err := rows.ParseLimit("1%")
	p.world.must(err)
	t := &tracker.Tracker{
		Store: p.store(), Tasks: p.queue(tasksQueue), Results: p.queue(resultsQueue), DeadLetters: p.queue(lettersQueue),
		Options: tracker.Options{Stall: stall, MaxDead: limit, Poll: 2 * time.Second, Parallel: 32, KeepVersions: p.world.keep},
	}
	if p.world.keep > 0 {
		t.Deleter = bucketPort{p}
	}
	return t
}

func (p *process) planner(split planner.Split) *planner.Planner {
	any, err := rows.ParseLimit("100%")
	p.world.must(err)
	return &planner.Planner{
		Store: p.store(), Bucket: bucketPort{p}, Sheets: sheetPort{p}, Tasks: p.queue(tasksQueue), Finish: p.tracker().FinishEmpty,
		Config: planner.Config{
			Layout: layout, ImageSize: "thumbnails", Classes: []string{"Common", "Rare"}, Split: split,
			MaxBadRows: any, MaxDelete: any, MaxRefresh: any, Lease: 15 * time.Second, Parallel: 4,
		},
		NameRun: func(begun time.Time, generation int64) string {
			// The same each time a schedule is played.
			return fmt.Sprintf("%s-%d-test", begun.Format("20060102T150405Z"), generation)
		},
	}
}

func (p *process) worker() *worker.Worker {
	return worker.New(worker.Config{
		ID: p.name, Layout: layout, Bucket: bucketPort{p}, Tasks: p.queue(tasksQueue), Results: p.queue(resultsQueue),
		DeadLetters: p.queue(lettersQueue), Pointer: p.store(), Concurrency: 2,
	})
}

// work and track run the services.
func work(ctx context.Context, p *process) error { return p.worker().Run(ctx) }

func track(ctx context.Context, p *process) error {
	_, err := p.tracker().Run(ctx)
	return err
}

package worlds

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/planner"
)

// operator is the person who types the commands. The world chooses a fate for its actions as for
// any call.
type operator struct{ *process }

// The events that a person waits for.
const (
	mayHurry = "waits, impatiently, until"
	waits    = "waits until"
	does     = "does:"
)

// do executes fn as a step of the operator, when ready.
func (o operator) do(op, on string, ready func() bool, fn func()) {
	c := call{op: op, on: on, kind: person, what: noDetail, ready: ready, broken: func(err error) error { return err }}
	_, err := ask(o.ctx, o.process, c, func() (any, error) { fn(); return nil, nil })
	if err != nil {
		runtime.Goexit() // the world has ended
	}
}

func (o operator) act(what string, fn func()) { o.do(does, what, nil, fn) }

func (o operator) await(how, what string, ready func() bool) { o.do(how, what, ready, func() {}) }

// edit changes the sheet of an episode. Without classes the sheet becomes unreadable.
func (o operator) edit(e dataset.Episode, read ...string) {
	o.act(fmt.Sprintf("edits the sheet of %s to %q", e, read), func() { o.world.sheets[e] = read })
}

// replace uploads a new image of a frame.
func (o operator) replace(i int) {
	key := imageKey(frame(i))
	o.act("uploads "+key, func() { o.world.put(key, "new image of "+string(frame(i))) })
}

// startServices starts workers and trackers.
func (o operator) startServices(workers, trackers int) {
	for i := range workers {
		o.world.start(fmt.Sprintf("worker-%d", i+1), services, work)
	}
	for i := range trackers {
		o.world.start(fmt.Sprintf("tracker-%d", i+1), services, track)
	}
}

// plan types shuffle plan, and returns a pointer that will hold its plan. A killed planner is
// started again, three times at most.
func (o operator) plan(name string, opt planner.Options) *state.Plan {
	return o.planWith(name, opt, func(*planner.Config) {})
}

// planWith is plan with settings that a person chooses.
func (o operator) planWith(name string, opt planner.Options, give func(*planner.Config)) *state.Plan {
	made := &state.Plan{}
	o.act(fmt.Sprintf("shuffle plan %+v", opt), func() {
		o.world.start(name, 3, func(ctx context.Context, p *process) error {
			shuffle := p.planner(o.world.split)
			give(&shuffle.Config)
			plan, err := shuffle.Plan(ctx, opt)
			if err == nil {
				*made = *plan
			}
			return err
		})
	})
	return made
}

// command types one of the tracker's commands.
func (o operator) command(name string, run func(ctx context.Context, p *process, run string) error) {
	o.act("shuffle "+name, func() {
		of := o.world.pointer().Run
		o.world.start(name, 0, func(ctx context.Context, p *process) error { return run(ctx, p, of) })
	})
}

func redrive(ctx context.Context, p *process, run string) error {
	_, err := p.tracker().Redrive(ctx, run, nil)
	return err
}

func cancelRun(ctx context.Context, p *process, run string) error {
	_, err := p.tracker().Cancel(ctx, run)
	return err
}

// applying reports whether at least this many keys of the datasets have been written.
func (w *world) applying(keys int) func() bool {
	return func() bool { return w.judge.written >= keys || w.ended() }
}

// atWork reports whether the run in force is running or has ended.
func (w *world) atWork() bool { return w.pointer().State == state.Running || w.ended() }

// planned reports whether a run of that generation or a later one has reached publishing, or never
// will.
func (w *world) planned(generation int64) func() bool {
	return func() bool {
		pointer := w.pointer()
		return pointer.Generation >= generation && pointer.State != state.Planning || w.ended()
	}
}

// ended reports whether no run is active and no command is running.
func (w *world) ended() bool {
	pointer := w.pointer()
	return !w.running() && !pointer.State.Active()
}

// finale lets every run end, and checks the result. A failed run is redriven or planned again, as
// its reason requires.
func (o operator) finale() {
	o.act("nothing goes wrong from here", o.world.appease)
	for range 8 {
		o.await(waits, "the run has ended", o.world.ended)
		var before, after state.PointerSnapshot
		var unfinished, unchanged bool
		var opt planner.Options
		o.act("looks at the run", func() {
			before, unfinished, unchanged = o.readRunState()
			if now, err := o.world.store.Settings(always); err == nil && !now.Exists() {
				// No run got that far, and a seed that a planner draws cannot be replayed.
				opt = first
			}
		})
		if unfinished {
			o.command("redrive", redrive)
			continue
		}
		made := o.plan("planner", opt)
		o.await(waits, "it is planned", func() bool { return !o.world.running() })
		o.act("looks at the plan", func() { after = o.world.pointer() })
		if before.State == state.Succeeded && made.Run == after.Run && made.Tasks == 0 {
			o.await(waits, "the queues are empty", o.world.drained)
			o.act("looks at everything", o.world.judge.settled)
			return
		}
		if unchanged && made.Tasks > 0 {
			o.act("compares", func() {
				o.world.judge.wrong("guarantee 2: nothing has changed since generation %d has succeeded, and the next plan has %d tasks", before.Generation, made.Tasks)
			})
		}
	}
	o.act("gives up", func() {
		pointer := o.world.pointer()
		o.world.judge.wrong("the world does not come to rest: run %s is %s: %s", pointer.Run, pointer.State, pointer.Reason)
	})
}

// readRunState reads the state of the run: whether it has tasks to redrive, and whether it has
// succeeded and the sheets are unchanged since.
func (o operator) readRunState() (pointer state.PointerSnapshot, unfinished, unchanged bool) {
	w := o.world
	pointer = w.pointer()
	plan := w.judge.plans[pointer.Run]
	if plan == nil {
		return pointer, false, false
	}
	unfinished = pointer.State == state.Failed && strings.Contains(pointer.Reason, "shuffle redrive")
	unchanged = pointer.State == state.Succeeded && plan.read.equal(w.sheets) &&
		maps.Equal(w.judge.wantedPlaces(w.sheets, plan.Settings.Definition), w.datasetETags())
	return pointer, unfinished, unchanged
}

// appease stops all faults and ends all waits.
func (w *world) appease() {
	w.calm = true
	for _, c := range w.pending {
		c.held, c.yields = time.Time{}, false
	}
	for _, p := range w.procs {
		p.frozen = time.Time{}
	}
}

// drained reports whether the queues have no messages, in flight or not.
func (w *world) drained() bool {
	for _, q := range []interface{ Next() (time.Time, bool) }{w.tasks, w.results, w.letters} {
		if _, any := q.Next(); any {
			return false
		}
	}
	return true
}

// loseSettings deletes settings.json.
func (w *world) loseSettings() {
	_, err := w.bucket.DeleteObjects(always, []string{layout.State() + "settings.json"})
	w.must(err)
}

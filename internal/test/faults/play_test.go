package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// patience is the time limit of a command, and of a run until it ends by itself, when everything
// fails for a while.
const patience = 4 * time.Minute

// player plays a schedule in a world.
type player struct {
	*world
	schedule
	rand     *rand.Rand
	tracking bool
	stopped  sync.WaitGroup // actions that are scheduled by time
}

// play plays the schedule and returns its story.
func play(ctx context.Context, at site, s schedule) (counts map[faults.Kind]int, story string, err error) {
	w, err := newWorld(ctx, at, s.seed, season.Options{Episodes: s.episodes, Frames: s.frames})
	if err != nil {
		return nil, "", err
	}
	if s.clocks {
		w.clock = func(name string) clock { return clockOf(s.seed, name) }
	}
	p := &player{world: w, schedule: s, rand: rand.New(rand.NewPCG(s.seed, 1))}
	err = p.play(ctx)
	return w.front.Counts(), s.String() + "\n" + p.story(), errors.Join(err, w.close())
}

func (p *player) story() string {
	var b strings.Builder
	if err := p.front.Story(&b); err != nil {
		return err.Error()
	}
	return b.String()
}

func (p *player) play(ctx context.Context) error {
	if p.skewed {
		for i, name := range []string{"plan", "w1", "w2", "t1"} {
			p.front.Skew(name, []time.Duration{time.Hour, -time.Hour, 0, time.Hour / 2}[i])
		}
	}
	p.front.Add(p.noise...)
	p.serve(p.named("w", p.workers, "work")...)
	for i, r := range p.rounds {
		p.front.Event("round %d", i+1)
		if err := p.round(ctx, r); err != nil {
			return err
		}
	}
	p.stopped.Wait()
	p.front.Calm()
	p.front.Event("calm from here on")
	if err := p.converge(ctx); err != nil {
		return err
	}
	return p.check(ctx)
}

// named returns n services of a kind.
func (p *player) named(kind string, n int, args ...string) []service {
	var all []service
	for i := range n {
		name := fmt.Sprintf("%s%d", kind, i+1)
		chance := rand.New(rand.NewPCG(p.seed, uint64(len(name)+i)))
		all = append(all, service{name, args, func() time.Duration { return time.Duration(chance.Int64N(int64(p.restarted))) }})
	}
	return all
}

// round plays one round until the run in force has ended.
func (p *player) round(ctx context.Context, r round) error {
	if err := p.edit(ctx, r); err != nil {
		return err
	}
	p.arm(r)
	if !r.late {
		p.track()
	}
	for range 3 { // as the scheduler does: when the planner was killed, it plans again
		if err := p.planAll(ctx, r); err != nil {
			return err
		}
		if r.late {
			if err := p.workersAreDone(ctx); err != nil {
				return err
			}
			p.front.Event("the trackers come")
			p.track()
		}
		pointer, err := p.ended(ctx)
		if err != nil || pointer.State == state.Succeeded {
			return err
		}
	}
	return nil // the faults prevented every plan; the calm phase repairs it
}

// track starts the trackers, once.
func (p *player) track() {
	if !p.tracking {
		p.tracking = true
		p.serve(p.named("t", p.trackers, "track")...)
	}
}

// planAll plans once, or twice at the same time. It lets another planner take over if the round has
// one.
func (p *player) planAll(ctx context.Context, r round) error {
	planners := [][]string{{"plan", "--json"}}
	if r.twins {
		planners = append(planners, planners[0])
	}
	errs := make(chan error)
	for _, args := range planners {
		go func() {
			_, err := p.command(ctx, nil, args...)
			errs <- err
		}()
	}
	if r.cancel > 0 {
		p.later(r.cancel, func() { p.cancel(ctx) })
	}
	if r.supersede > 0 {
		wait(ctx, r.supersede)
		if _, err := p.command(ctx, nil, "plan", "--json", "--supersede"); err != nil {
			return errors.Join(err, <-errs)
		}
	}
	var all error
	for range planners {
		all = errors.Join(all, <-errs)
	}
	return all
}

// cancel cancels the run in force, if it can be cancelled.
func (p *player) cancel(ctx context.Context) {
	pointer, err := p.store.Current(ctx, state.PointerSnapshot{})
	if err == nil && pointer.State.Active() {
		_, err = p.command(ctx, nil, "cancel", pointer.Run)
	}
	if err != nil && !p.hands() {
		p.broke(err)
	}
}

// edit changes sheet and images as people do.
func (p *player) edit(ctx context.Context, r round) error {
	lost := 0
	if r.lost+r.shortened > 0 {
		differences, err := p.differences(ctx)
		if err != nil {
			return err
		}
		// Else the datasets have fewer frames, and the loss may be below the ceiling.
		if len(differences) == 0 {
			lost = r.lost
			p.shortenSheets(r.shortened)
		}
	}
	return p.change(func(e *season.Episode) error {
		p.lost = append(p.lost, e.RemoveRows(lost)...)
		e.Relabel(r.relabel)
		p.audit.MayGo(e.RemoveRows(r.remove)...)
		for _, f := range append(e.InsertRows(r.insert, "Rare"), e.Repaint(r.repaint)...) {
			body := fmt.Appendf(nil, "%s, painted at %s", f, time.Now())
			if _, err := p.bucket.PutObject(ctx, e.ImagePrefix()+f.File(), body, bucket.Condition{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// shortenSheets makes this number of reads of sheets return only a part.
func (p *player) shortenSheets(times int) {
	if times > 0 {
		p.front.Add(faults.Rule{Kind: faults.FewerRows, From: "plan", First: 1, Times: times})
	}
}

// drift edits an episode's sheet during a run.
func (p *player) drift(episode int) {
	err := p.changeOf(episode, func(e *season.Episode) error {
		p.front.Did(faults.Edited, string(e.Episode))
		e.Relabel(3)
		p.audit.MayGo(e.RemoveRows(1)...)
		return nil
	})
	if err != nil {
		p.broke(err)
	}
}

// arm prepares the faults of the processes of a round.
func (p *player) arm(r round) {
	for _, c := range r.crashes {
		kind := faults.Crash
		if c.after {
			kind = faults.CrashAfter
		}
		p.front.Add(faults.Rule{Kind: kind, From: c.from, Op: c.op, Target: c.target, First: c.nth,
			Do: func(q faults.Request) { p.kill(q.From) }})
	}
	for _, k := range r.killed {
		p.later(k.after, func() { p.killAny(k.name) })
	}
	p.armEvents(r)
	p.armHands(r)
}

// armEvents prepares the faults that happen once, in the middle.
func (p *player) armEvents(r round) {
	for _, d := range r.drifts {
		p.at(faults.Rule{From: d.from, Op: d.op, Target: d.target, First: d.nth}, 0, func(faults.Request) { p.drift(d.episode) })
	}
	if f := r.forgets; f != nil {
		p.at(faults.Rule{From: f.from, Op: f.op, Target: f.target, First: f.nth}, r.forgotten, func(faults.Request) {
			if err := p.forget(p.ctx); err != nil && !p.hands() {
				p.broke(err)
			}
		})
	}
	if r.purge != "" {
		p.at(faults.Rule{From: "w", Op: "CopyObject", First: 1 + p.rand.IntN(20)}, r.purged, func(faults.Request) {
			p.front.Did(faults.Purged, r.purge)
			if err := p.queues[r.purge].PurgeQueue(p.ctx); err != nil && !p.hands() {
				p.broke(err)
			}
		})
	}
	if r.sleeper != "" {
		first, sleep := 1+p.rand.IntN(60), visibility+time.Duration(p.rand.IntN(8000))*time.Millisecond
		p.at(faults.Rule{From: r.sleeper, First: first}, r.asleep, func(q faults.Request) {
			for _, name := range p.called(q.From) {
				p.signal(name, syscall.SIGSTOP)
				p.later(sleep, func() { p.signal(name, syscall.SIGCONT) })
			}
		})
	}
}

// at calls do at a request or, where there is no front, after a time.
func (p *player) at(rule faults.Rule, after time.Duration, do func(faults.Request)) {
	if p.site == local {
		p.later(after, func() { do(faults.Request{From: rule.From}) })
		return
	}
	rule.Kind, rule.Do = faults.Event, do
	p.front.Add(rule)
}

// later calls do after a time, unless the world ends before.
func (p *player) later(after time.Duration, do func()) {
	p.stopped.Go(func() {
		if wait(p.ctx, after); p.ctx.Err() == nil {
			do()
		}
	})
}

// killAny kills a service, or the planners that run now.
func (p *player) killAny(name string) {
	for _, n := range p.called(name) {
		p.kill(n)
	}
}

// called returns the names of the processes of a service; for "plan", of the planners that run now.
func (p *player) called(name string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{}
	for running, process := range p.running {
		if running == name || name == "plan" && strings.HasPrefix(running, name) && !process.over() {
			names = append(names, running)
		}
	}
	return names
}

// ended waits until the run in force has ended by itself.
func (w *world) ended(ctx context.Context) (pointer state.PointerSnapshot, err error) {
	err = until(ctx, "a run that is over", patience, func(ctx context.Context) (bool, error) {
		pointer, err = w.store.Current(ctx, state.PointerSnapshot{})
		if err != nil && w.hands() {
			// The operator repairs a damaged pointer; a missing folder comes back.
			return errors.Is(err, state.ErrDamaged), nil
		}
		return !pointer.State.Active(), err // also when a planner was killed before it began a run
	})
	w.front.Sync()
	w.front.Event("run %s: %s %s", pointer.Run, pointer.State, pointer.Reason)
	return pointer, err
}

// workersAreDone waits until the workers have no tasks left.
func (w *world) workersAreDone(ctx context.Context) error {
	return until(ctx, "an empty tasks queue", patience, func(ctx context.Context) (bool, error) {
		pointer, err := w.store.Current(ctx, state.PointerSnapshot{})
		if err != nil && w.hands() {
			return errors.Is(err, state.ErrDamaged), nil
		}
		if err != nil || pointer.State == state.Planning || pointer.State == state.Publishing || !pointer.Exists() {
			return true, err // its planner was killed, and the tracker must handle that
		}
		left, err := w.queues[queueNames[0]].GetQueueAttributes(ctx)
		return left.Visible+left.InFlight == 0 && w.front.Late() == 0, err
	})
}

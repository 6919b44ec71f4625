package main

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// services are shuffle work, twice, and shuffle track. The workers are slow, one task at a time,
// which leaves time to kill them.
type services struct {
	w   *world
	all []*process
}

var serviceCommands = [][]string{{"--concurrency", "1", "work"}, {"--concurrency", "1", "work"}, {"track"}}

func (w *world) serve() *services {
	w.t.Helper()
	s := &services{w: w}
	for _, args := range serviceCommands {
		s.all = append(s.all, w.start(args...))
	}
	return s
}

// restart kills one of the services and starts it again.
func (s *services) restart(i int) {
	s.w.t.Helper()
	s.all[i].kill()
	s.all[i] = s.w.start(serviceCommands[i]...)
}

// end waits until the run in force has ended and the queues are empty, stops the services as ECS
// does, and checks the result.
func (s *services) end(run string, tasks int) {
	w := s.w
	w.t.Helper()
	var last state.Status
	await(w.t, "the end of run "+run, func() bool { last = w.status(anyCode); return last.Run == run && last.Ended() })
	if last.State != state.Succeeded || last.Done != tasks || last.Dead != 0 || last.Differences != 0 {
		w.t.Errorf("status: %+v, expected %d tasks done and no differences", last, tasks)
	}
	await(w.t, "empty queues", w.empty)
	for _, p := range s.all {
		awaitOf(p, "a service that is up", p.up)
		p.signal(syscall.SIGTERM)
	}
	for _, p := range s.all {
		p.wait(0)
	}
	w.checkDatasets()
	if plan := w.plan(0); plan.Tasks != 0 || plan.State != state.Succeeded {
		w.t.Errorf("the next plan: %d tasks, %s", plan.Tasks, plan.State)
	}
}

// shuffle plan, work, work and track, each killed (-9) three times at random moments and started
// again.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := generated(t, season.Options{Episodes: 1, Frames: 900, Seed: seed})
			chance := rand.New(rand.NewPCG(seed, 1))
			for range 3 {
				w.start("plan").killAfter(time.Duration(chance.IntN(60)) * time.Millisecond)
			}
			w.planUntilPublished()
			running := w.serve()
			for range 3 {
				for i := range running.all {
					images := w.images() + chance.IntN(60)
					await(t, "more images", func() bool { return w.images() >= min(images, w.wanted()) })
					running.restart(i)
				}
			}
			running.end(w.status(anyCode).Run, w.wanted())
		})
	}
}

// planUntilPublished plans again, as a person does after a crash of a planner. Exit code 3: the
// killed planner had published everything.
func (w *world) planUntilPublished() {
	w.t.Helper()
	p := w.start("plan")
	<-p.ended
	if p.code() != 0 && p.code() != 3 {
		w.t.Fatalf("plan: exit code %d\n%s", p.code(), p.logs)
	}
	if s := w.status(anyCode); s.State == state.Planning || s.State == state.Publishing || !s.State.Active() {
		w.t.Fatalf("after plan: %+v", s)
	}
}

// shuffle plan, work and track, each killed (-9) at a moment that shuffle status or the datasets
// show.
func TestKilledWhenObserved(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 500})
	w.finish(w.wanted())
	w.episode(0).Relabel(300)
	w.save(w.episode(0))

	// It waits until 7 s after the end of the previous run, because that run's workers might still
	// be writing.
	planner := w.start("plan")
	awaitOf(planner, "planning", func() bool { return w.status(anyCode).State == state.Planning })
	planner.kill()
	_, logs := w.run(0, "plan")
	says(t, logs, "waiting to see whether it lives")

	run := w.status(anyCode).Run
	running := w.serve()
	for i := range running.all {
		await(t, "more tasks done", func() bool { return w.status(anyCode).Done >= 60*i+1 })
		running.restart(i)
	}
	running.end(run, 300)
}

// shuffle run, killed (-9); then run and plan refuse, and shuffle run --resume continues it.
func TestResume(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 1200})
	first := w.start("--concurrency", "1", "run")
	awaitOf(first, "a run in the middle", func() bool { return w.images() > 100 && w.pointer().State == state.Running })
	first.kill()
	left := w.status(0)
	if !left.State.Active() || left.Tasks != w.wanted() {
		t.Fatalf("the killed run left %+v", left)
	}
	for _, command := range []string{"run", "plan"} {
		_, logs := w.run(3, command)
		says(t, logs, `run `+left.Run+` is active \(running\): .*\(shuffle --local \S+ run --resume\).*\(shuffle --local \S+ cancel `+left.Run)
	}
	out, _ := w.run(0, "run", "--resume", "--json")
	if s := decode[state.Status](t, out); s.State != state.Succeeded || s.Tasks != 0 {
		t.Errorf("the run after the resumed one: %+v, expected no task", s)
	}
	if s := w.status(0, left.Run); s.State != state.Succeeded || s.Done != w.wanted() {
		t.Errorf("the resumed run: %+v", s)
	}
	w.checkDatasets()
}

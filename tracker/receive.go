package tracker

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	// maxPollers receive results at once while the queue gives full batches.
	maxPollers = 8
	// maxGathered messages of a queue are taken in between two saves of the ledger. With 100
	// results in a message that is far above what a bucket takes in a second.
	maxGathered = 1000
	// lettersEvery is how often the dead-letter queue is asked while a run is active: it seldom has
	// anything.
	lettersEvery = 3 * time.Second
	// fewOpen tasks have their results within about a second of S3's 3,500 writes; nearEndSeconds
	// counts where the run is faster.
	fewOpen        = 5000
	nearEndSeconds = 2
	// drainPatience is how long a drain goes on that brings nothing of the run in force: what
	// others have left on the queues, however much, holds up no run.
	drainPatience = 2 * time.Second
	// receiveSlack is how much longer than its wait a receive may take before it is cut off.
	receiveSlack = 20 * time.Second
)

// gathered is what was received and not saved yet.
type gathered struct {
	results, letters []queue.Message
}

func (g gathered) len() int { return len(g.results) + len(g.letters) }

// gather receives for at most about the window: from the results queue, by more pollers while it
// gives full batches, and from the dead-letter queue, which in a run is asked now and then only.
// Results do not wait for its answer, which takes the whole window when there is no letter: that is
// taken in by the step in which it has come. An error does not void what was received.
//
// While few tasks are open, or none is known, the first batch that is not full ends the window.
func (s *session) gather(ctx context.Context, window time.Duration) (gathered, error) {
	begun := time.Now()
	results := &poller{queue: s.Results, wait: window, until: begun.Add(window), pollers: maxPollers}
	results.early = !s.manyOpen() // the first results, and the last, are not to wait for more
	if !s.pointer.State.Active() {
		results.pollers = 1
	}
	if s.letters == nil && !begun.Before(s.askLetters) {
		s.askLetters = begun
		if s.pointer.State.Active() {
			s.askLetters = begun.Add(lettersEvery)
		}
		s.letters = ask(ctx, s.DeadLetters, window)
	}
	err := results.run(ctx)
	got := gathered{results: results.received}
	quiet := !s.pointer.State.Active() && len(got.results) == 0 // both answers come at the same time
	if s.letters != nil && (quiet || ctx.Err() != nil || s.letters.answered()) {
		err = errors.Join(err, s.takeLetters(&got))
	}
	return got, err
}

// manyOpen reports whether so many tasks of an active run are open that their results come for
// longer than about a second.
func (s *session) manyOpen() bool {
	open := float64(s.ledger.Open().GetCardinality())
	return s.pointer.State.Active() && open > fewOpen+nearEndSeconds*s.ledger.Progress().Rate()
}

// question is a queue that is being asked for the time of one window.
type question struct {
	poller
	done chan struct{}
	err  error
}

func ask(ctx context.Context, q Receiver, window time.Duration) *question {
	a := &question{poller: poller{queue: q, wait: window, until: time.Now().Add(window), pollers: maxPollers}, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		a.err = a.run(ctx)
	}()
	return a
}

func (q *question) answered() bool {
	select {
	case <-q.done:
		return true
	default:
		return false
	}
}

// takeLetters waits for the answer of the dead-letter queue.
func (s *session) takeLetters(g *gathered) error {
	q := s.letters
	s.letters = nil
	<-q.done
	g.letters = q.received
	return q.err
}

// close takes in what the dead-letter queue still answers. Letters that cannot be saved now come
// again.
func (s *session) close(ctx context.Context) {
	if s.letters == nil {
		return
	}
	var g gathered
	begun := time.Now()
	err := s.takeLetters(&g)
	_, failed := s.save(ctx, g, begun)
	if err = errors.Join(err, failed); err != nil {
		s.log().Warn("the last dead letters were not taken in; they come again", zap.String("run", s.pointer.Run), zap.Error(err))
	}
}

// poller receives from one queue until a time, or until it has received enough.
type poller struct {
	queue   Receiver
	wait    time.Duration // of one receive
	until   time.Time
	early   bool // it stops with the first batch that is not full
	pollers int

	group    errgroup.Group
	mu       sync.Mutex
	running  int
	received []queue.Message
}

func (p *poller) run(ctx context.Context) error {
	p.mu.Lock()
	p.start(ctx, false)
	p.mu.Unlock()
	return p.group.Wait()
}

// start begins one more goroutine of the poller. p.mu is held.
func (p *poller) start(ctx context.Context, extra bool) {
	p.running++
	p.group.Go(func() error { return p.receive(ctx, extra) })
}

// receive polls. An extra poller ends with the first batch that is not full.
func (p *poller) receive(ctx context.Context, extra bool) error {
	for wait := p.wait; ; {
		batch, err := receive(ctx, p.queue, wait)
		if err != nil {
			return err
		}
		if p.early {
			wait = 0 // only for what has come already
		}
		full := len(batch) == queue.MaxBatch
		if p.take(ctx, batch, full) || extra && !full {
			return nil
		}
	}
}

// take keeps a batch, starts a poller more when it was full, and says whether it is time to stop.
func (p *poller) take(ctx context.Context, batch []queue.Message, full bool) (stop bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received = append(p.received, batch...)
	stop = len(p.received) >= maxGathered || p.early && !full || !time.Now().Before(p.until) || ctx.Err() != nil
	if full && !stop && p.running < p.pollers {
		p.start(ctx, true)
	}
	return stop
}

// receive asks once. A receive that is cut off hides messages for the visibility timeout, so ctx
// does not end it.
func receive(ctx context.Context, q Receiver, wait time.Duration) ([]queue.Message, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait+receiveSlack)
	defer cancel()
	return q.ReceiveMessage(ctx, queue.MaxBatch, wait)
}

// window is how long a step waits for messages.
func (s *session) window() time.Duration {
	if s.pointer.State.Active() || s.Options.UntilDone {
		return s.poll()
	}
	return max(s.poll(), idleWait)
}

// publishedSoon is how often the pointer is read when every task is accounted for before its
// planner says that all are sent.
const publishedSoon = 200 * time.Millisecond

// skipsReceive reports whether a step need not receive, since every task is accounted for: an empty
// queue takes a second to say so. In a running run a step in two receives, so that one whose
// verification fails goes on to take in what comes.
func (s *session) skipsReceive() bool {
	accounted, skipped := s.pointer.Tasks > 0 && s.ledger.Open().IsEmpty(), s.skipped
	s.skipped = false
	switch s.pointer.State {
	case state.Running:
		s.skipped = accounted && !skipped
		return s.skipped
	case state.Publishing: // its planner is about to say that it runs, or gone
		return accounted && time.Since(s.changed) < min(patience, s.stall())
	}
	return false
}

// takeIn receives for one step, saves and acknowledges. It gives the number of messages, without
// those of other environments.
func (s *session) takeIn(ctx context.Context) (int, error) {
	if s.skipsReceive() {
		if s.pointer.State == state.Publishing {
			_ = retry.Sleep(ctx, publishedSoon)
		}
		return 0, nil
	}
	window, begun := s.window(), time.Now()
	g, err := s.gather(ctx, window)
	f, failed := s.save(ctx, g, begun)
	s.afterLetters(len(f.own.letters), len(f.foreign.letters))
	s.yield(ctx, f.own.len(), f.foreign.len())
	return f.own.len(), errors.Join(err, failed)
}

// drain takes in what the queues hold until they give nothing, or nothing of the run in force for a
// while: the dead-letter queue, and with results the results queue too.
func (s *session) drain(ctx context.Context, results bool) error {
	useful := time.Now()
	for ctx.Err() == nil {
		begun := time.Now()
		g, err := s.receiveAll(ctx, results)
		f, failed := s.save(ctx, g, begun)
		if f.aboutRun(s.pointer.Run) {
			useful = time.Now()
		}
		if err = errors.Join(err, failed); err != nil || f.own.len() == 0 || time.Since(useful) > drainPatience {
			return err
		}
	}
	return ctx.Err()
}

// receiveAll receives what the queues hold, up to maxGathered of each, without waiting longer than
// a queue does by itself.
func (s *session) receiveAll(ctx context.Context, results bool) (got gathered, err error) {
	all := func(q Receiver) *poller {
		return &poller{queue: q, until: time.Now().Add(s.poll()), early: true, pollers: maxPollers}
	}
	var g errgroup.Group
	if results {
		g.Go(func() error {
			p := all(s.Results)
			err := p.run(ctx)
			got.results = p.received
			return err
		})
	}
	ask := true
	if s.letters != nil {
		// A question without an answer yet will bring what the queue holds now.
		ask = s.letters.answered()
		err = s.takeLetters(&got)
	}
	if ask && err == nil && len(got.letters) == 0 {
		p := all(s.DeadLetters)
		err = p.run(ctx)
		got.letters = p.received
	}
	return got, errors.Join(err, g.Wait())
}

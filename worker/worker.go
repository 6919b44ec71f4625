// Package worker applies the tasks of the queue to the bucket (DESIGN 7). It receives, copies, deletes, reports and
// acknowledges, hundreds of tasks at a time and any number of workers at once; every step may be repeated.
//
// The order of one task is fixed: apply, then the result, then the acknowledgement. Whatever is cut off in between is
// delivered again and done again, to the same effect. What keeps an old task from harm is the gate (see package state).
package worker

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Config is what a worker is made of. The five ports are required.
type Config struct {
	ID     string // names the worker in results, dead letters and logs
	Layout dataset.Layout

	Bucket  Bucket
	Tasks   Tasks
	Results Sender
	Deads   Sender // the dead-letter queue
	Pointer Pointer

	// Scope names the worker's environment (messages.Scope); with "" it takes every task for its own.
	Scope string
	// Runs are those of the environment; nil: tasks are not compared with their run's plan.
	Runs Runs

	Concurrency int           // the most tasks worked on at a time; DefaultConcurrency when 0
	Visibility  time.Duration // of a message in hand; never more than the queue's own, which is the default
	MaxReceives int           // deliveries of a task before it is dead; the queue's redrive policy is the default
	Drain       time.Duration // for what is in hand at the end; DefaultDrain when 0
	// ExitWhenIdle ends Run when nothing has been in hand for so long; 0 never.
	ExitWhenIdle time.Duration
	// Poll is how long one receive waits for messages, at most MaxPoll. A receive that is cut off hides its messages until
	// their visibility timeout ends, so at the end Run waits for the last one.
	Poll       time.Duration
	Protection Protection // may be nil
	Log        *zap.Logger
}

// Defaults and bounds of Config.
const (
	DefaultConcurrency = 256
	DefaultDrain       = 25 * time.Second // less than the 30 s that ECS waits
	MaxPoll            = 5 * time.Second

	defaultVisibility  = queue.DefaultVisibility
	defaultMaxReceives = 5
	// maxInHand is below the 120,000 messages that SQS lets be in flight; several workers share them.
	maxInHand = 20_000
	minInHand = 500
)

// Worker applies tasks. Its methods may be called at the same time, Run once.
type Worker struct {
	cfg    Config
	log    *zap.Logger
	count  *counters
	limits *limiter
	hand   *hand
	others *others
	apply  applier
	settle settler
}

// New makes a worker. Nothing happens before Run.
func New(cfg Config) *Worker {
	cfg = withDefaults(cfg)
	log := cfg.Log.With(zap.String("worker", cfg.ID))
	// Half as many messages again as can be worked on are asked for ahead, so that nothing waits for the queue's answer.
	w := &Worker{cfg: cfg, log: log, count: &counters{}, limits: newLimiter()}
	// What waits for its result to be sent, or for its acknowledgement, takes no slot. Four times the slots is what a second
	// or so of the queue's latency takes.
	w.hand = newHand(cfg.Concurrency+cfg.Concurrency/2, min(max(4*cfg.Concurrency, minInHand), maxInHand))
	gate := newGate(cfg.Pointer, log)
	w.others = &others{runs: cfg.Runs, gate: gate, log: log}
	w.apply = applier{
		bucket: cfg.Bucket, layout: cfg.Layout, scope: cfg.Scope, runs: cfg.Runs, plan: newPlan(cfg.Runs, log), others: w.others, unread: &sync.Once{}, stop: context.Background(),
		gate: gate, outage: &outage{}, limits: w.limits, count: w.count, log: log,
		maxReceives: cmp.Or(cfg.MaxReceives, defaultMaxReceives),
	}
	w.settle = settler{
		id: cfg.ID, scope: cfg.Scope, tasks: countedTasks{cfg.Tasks, w.count}, results: countedSender{cfg.Results, w.count},
		deads: countedSender{cfg.Deads, w.count}, hand: w.hand, log: log,
	}
	return w
}

func withDefaults(cfg Config) Config {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Concurrency <= 0 {
		cfg.Concurrency = DefaultConcurrency
	}
	if cfg.Drain <= 0 {
		cfg.Drain = DefaultDrain
	}
	if cfg.Poll <= 0 || cfg.Poll > MaxPoll {
		cfg.Poll = MaxPoll
	}
	return cfg
}

// learn takes from the queue what the configuration leaves open.
func (w *Worker) learn(ctx context.Context) error {
	attrs, err := w.cfg.Tasks.GetQueueAttributes(ctx)
	if err != nil {
		return fmt.Errorf("read the attributes of the tasks queue: %w", err)
	}
	visibility := cmp.Or(attrs.VisibilityTimeout, defaultVisibility)
	if w.cfg.Visibility <= 0 || w.cfg.Visibility > visibility {
		w.cfg.Visibility = visibility
	}
	w.cfg.MaxReceives = cmp.Or(w.cfg.MaxReceives, attrs.MaxReceiveCount, defaultMaxReceives)
	w.apply.maxReceives = w.cfg.MaxReceives
	return nil
}

// Run applies tasks until ctx ends, which is its normal end, or the worker has been idle for ExitWhenIdle. Then it takes no
// more, finishes what is in hand within Drain, and gives back the rest. It returns when all of its goroutines have
// ended. The one error is that of a tasks queue that cannot be used.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.learn(ctx); err != nil {
		return err
	}
	w.apply.stopping = ctx.Done()
	w.apply.stop = ctx
	w.log.Info("worker started", zap.Int("concurrency", w.cfg.Concurrency), zap.Duration("visibility", w.cfg.Visibility),
		zap.Int("max_receives", w.cfg.MaxReceives))
	newRun(w).run(ctx)
	w.log.Info("worker ended", w.Stats().fields()...)
	return nil
}

// Deliver takes one message from beginning to end in the caller's goroutine, by the same steps as Run and in their order,
// without gathering batches. It is for tests that choose the order of everything that happens.
func (w *Worker) Deliver(ctx context.Context, m queue.Message) {
	d := &delivery{msg: m, received: time.Now()}
	batch := []*delivery{d}
	read := w.apply.read(d)
	if !d.foreign {
		w.count.received.Add(1)
	}
	if read && w.apply.begin(ctx, d) {
		w.apply.flush(ctx, batch)
	}
	w.others.note(ctx)
	if d.ending.how == returned {
		w.settle.giveBack(ctx, batch)
		return
	}
	if d.ending.how == ignored {
		w.settle.acknowledge(ctx, batch)
		return
	}
	if d.ending.how == dead || d.ending.how == unfit {
		batch = w.settle.bury(ctx, batch)
	}
	if d.ending.how != unfit && len(batch) > 0 {
		batch = w.settle.report(ctx, batch)
	}
	w.settle.acknowledge(ctx, batch)
}

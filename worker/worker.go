// Package worker applies the tasks of the tasks queue to the bucket (DESIGN 7): hundreds of tasks
// at a time, and any number of workers at once. Method process shows the life of one message.
//
// The order of a task's steps is fixed: apply it, send the result, acknowledge the message. When a
// worker dies in between, the message is delivered again, and its task has the same effect again.
// An old task cannot do harm, because every write passes the fence (see package state).
package worker

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Config configures a worker. The five ports are required.
type Config struct {
	ID     string // names the worker in results, on the dead-letter queue and in logs
	Layout dataset.Layout

	Bucket      Bucket
	Tasks       Tasks
	Results     Sender
	DeadLetters Sender
	Pointer     Pointer

	// Scope names the worker's environment (messages.Scope). An empty scope accepts the tasks of
	// every environment.
	Scope string
	// Runs knows the environment's runs. When it is nil, tasks are not compared with their run's
	// plan.
	Runs Runs

	Concurrency int           // tasks copied at a time; DefaultConcurrency when 0
	Visibility  time.Duration // timeout of messages in flight; at most the queue's own, which is the default
	MaxReceives int           // deliveries of a task before it is dead; the queue's redrive policy is the default
	Drain       time.Duration // time for the tasks in flight at the end; DefaultDrain when 0
	// ExitWhenIdle ends Run when no message has been in flight for this time; 0 never.
	ExitWhenIdle time.Duration
	// Poll is how long one receive waits for messages, at most MaxPoll. At the end Run waits for
	// the last receive, because a receive that is cut off leaves its messages invisible until their
	// timeout ends.
	Poll       time.Duration
	Protection Protection // may be nil
	Log        *zap.Logger
}

// Defaults and bounds of Config.
const (
	DefaultConcurrency = 256
	DefaultDrain       = 25 * time.Second // less than the 30 s that ECS waits
	MaxPoll            = 5 * time.Second

	defaultMaxReceives = 5
	minInFlight        = 500
	maxInFlight        = 20_000 // SQS allows about 120,000 a queue, and several workers share them
	// sendGrace is the time after Drain for sending the last results and acknowledgements.
	sendGrace = 3 * time.Second
)

// Worker applies tasks. Run may be called once.
type Worker struct {
	cfg         Config
	log         *zap.Logger
	count       *counters
	maxReceives int
	began       time.Time
	stopping    context.Context // ends when the worker must stop; ends waits only, no request

	limiter  *limiter
	turns    chan struct{} // holds an element for each task between its begin and the end of its copy
	outage   *outage
	fence    *fence
	plan     *plan
	others   *otherEnvironments
	planWarn sync.Once // for the warning that plans cannot be read

	inFlight *inFlight
	busy     chan struct{} // wakes protect when messages are received

	// The steps that send many messages in one request.
	deletes, deadLetters, reports, acknowledgements, returns *batcher
}

// New makes a worker. It does nothing before Run.
func New(cfg Config) *Worker {
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
	log, count := cfg.Log.With(zap.String("worker", cfg.ID)), &counters{}
	cfg.Results, cfg.DeadLetters = countedSender{cfg.Results, count}, countedSender{cfg.DeadLetters, count}
	most := min(max(4*cfg.Concurrency, minInFlight), maxInFlight)
	w := &Worker{
		cfg: cfg, log: log, count: count, maxReceives: cmp.Or(cfg.MaxReceives, defaultMaxReceives), stopping: context.Background(),
		limiter: &limiter{base: firstRate}, turns: make(chan struct{}, cfg.Concurrency), outage: &outage{},
		fence: newFence(cfg.Pointer, log),
		plan:  &plan{runs: cfg.Runs, log: log, seed: maphash.MakeSeed()},
		// There are 1.5 times as many slots as turns, so that no turn waits for the queue. Messages
		// whose delete, result or acknowledgement is under way come in addition. With more than four
		// times the turns fifty workers at one limit would use less of it.
		inFlight: &inFlight{
			slots: cfg.Concurrency + cfg.Concurrency/2, most: most, freed: make(chan struct{}, 1), turn: make(chan struct{}, 1),
			messages: make(map[*delivery]struct{}, most),
		},
		busy: make(chan struct{}, 1),
	}
	w.others = &otherEnvironments{runs: cfg.Runs, fence: w.fence, log: log}
	w.deletes = &batcher{
		send: w.delete, size: w.deleteSize, weigh: (*delivery).keys, wait: 20 * time.Millisecond, free: make(chan struct{}, deleteParallel),
	}
	w.deadLetters = &batcher{send: w.sendDeadLetters, size: always(queue.MaxBatch), weigh: one, wait: 50 * time.Millisecond, free: make(chan struct{}, 16)}
	w.reports = &batcher{send: w.sendResults, size: always(maxResultBytes), weigh: resultWeight, wait: 100 * time.Millisecond, free: make(chan struct{}, 8)}
	w.acknowledgements = &batcher{send: w.acknowledge, size: always(queue.MaxBatch), weigh: one, wait: 50 * time.Millisecond, free: make(chan struct{}, 16)}
	w.returns = &batcher{send: w.giveBack, size: always(10 * queue.MaxBatch), weigh: one, wait: 50 * time.Millisecond, free: make(chan struct{}, 8)}
	return w
}

// Run applies tasks until ctx ends, which is its normal end, or the worker has been idle for
// ExitWhenIdle. Then it receives no more, finishes the tasks in flight within Drain, and returns
// the other messages to the queue. All of its goroutines have ended when it returns. Its only error
// is that the tasks queue cannot be used.
func (w *Worker) Run(ctx context.Context) error {
	attrs, err := w.cfg.Tasks.GetQueueAttributes(ctx)
	if err != nil {
		return fmt.Errorf("read the attributes of the tasks queue: %w", err)
	}
	visibility := cmp.Or(attrs.VisibilityTimeout, queue.DefaultVisibility)
	if w.cfg.Visibility <= 0 || w.cfg.Visibility > visibility {
		w.cfg.Visibility = visibility
	}
	w.maxReceives = cmp.Or(w.cfg.MaxReceives, attrs.MaxReceiveCount, defaultMaxReceives)
	w.stopping, w.began = ctx, time.Now()
	w.log.Info("worker started", zap.Int("concurrency", w.cfg.Concurrency), zap.Duration("visibility", w.cfg.Visibility),
		zap.Int("max_receives", w.maxReceives))

	work, endWork := lingering(ctx, w.cfg.Drain)
	defer endWork()
	queues, endQueues := lingering(ctx, w.cfg.Drain+sendGrace)
	defer endQueues()
	var upkeep, begin, processing sync.WaitGroup
	upkeep.Go(func() { w.fence.keepFresh(work) })
	upkeep.Go(func() { w.heartbeat(queues) })
	upkeep.Go(func() { w.protect(queues) })
	// A goroutine that has processed a message takes the next one, because a new goroutine would
	// have to grow its stack again.
	idle := make(chan *delivery)
	process := func(d *delivery) {
		select {
		case idle <- d:
		default:
			processing.Go(func() {
				for ok := true; ok; d, ok = <-idle {
					w.process(work, queues, d)
				}
			})
		}
	}
	tasks := make(chan *delivery, w.inFlight.slots) // turns are given in the order of the receives
	begin.Go(func() {
		for d := range tasks {
			w.turns <- struct{}{}
			process(d)
		}
	})
	w.receive(ctx, func(d *delivery) {
		if d.invalid != nil {
			process(d) // needs no turn, because it sends no request to the bucket
		} else {
			tasks <- d
		}
	})
	close(tasks)
	begin.Wait()
	close(idle)
	processing.Wait()
	endWork()
	endQueues() // only now, because messages are in flight until the last acknowledgement
	upkeep.Wait()
	w.log.Info("worker ended", w.Stats().fields()...)
	return nil
}

// lingering returns a context that ends d after ctx.
func lingering(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { stop(); cancel() }
}

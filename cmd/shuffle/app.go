package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/config"
	"github.com/angel-nft/google-shuffle/internal/dashboard"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/planner"
	"github.com/angel-nft/google-shuffle/tracker"
	"github.com/angel-nft/google-shuffle/worker"
)

// app builds the stages from the settings. It opens bucket, queues and sheets when a command first
// needs them.
type app struct {
	cfg    config.Config
	split  planner.Split
	stdout io.Writer
	screen *screen // stderr, for logs and progress
	log    *zap.Logger
	style  show.Style

	opener *open.Opener
	bucket open.Bucket
	names  []string // names of the bucket in sheets
	store  *state.Store
	// mu guards queues and sheets: the dashboard and a stage may open them at the same time.
	mu       sync.Mutex
	queues   open.Queues
	sheets   open.Sheets
	liveness liveness
	workers  dashboard.Workers // filled by the tracker of this process
}

func newApp(cfg config.Config, stdout, stderr io.Writer) (*app, error) {
	if err := cfg.Resolve(); err != nil {
		return nil, usage(err)
	}
	split, err := planner.ParseSplit(cfg.Split)
	if err != nil {
		err = fmt.Errorf("--split (SHUFFLE_SPLIT): %w", err)
	}
	if err := errors.Join(cfg.Validate(), err); err != nil {
		return nil, usage(err)
	}
	a := &app{cfg: cfg, split: split, stdout: stdout, screen: &screen{stderr: stderr}, style: styleOf(stdout, cfg.Local)}
	a.log = newLogger(a.screen, cfg.LogLevel, cfg.LogFormat)
	// Each slot of a worker needs a connection, and so does each listing of a planner and a tracker
	// in the same process.
	a.opener = open.New(cfg.Concurrency + 2*cfg.Listings)
	return a, nil
}

func (a *app) close() error {
	_ = a.log.Sync() // stderr, which is not always a file that can be synced
	return a.opener.Close()
}

// openStore opens the bucket and the state in it.
func (a *app) openStore(ctx context.Context) (*state.Store, error) {
	if a.store != nil {
		return a.store, nil
	}
	b, names, err := a.opener.Bucket(ctx, a.cfg.Bucket)
	if err != nil {
		return nil, err
	}
	scope := messages.Scope(names[0], a.cfg.Layout().Prefix)
	if strings.HasPrefix(a.cfg.Bucket, "file:") {
		names = append(names, config.DefaultBucket) // the real sheets, on a copy of the bucket
	}
	a.bucket, a.names = b, slices.Concat(names, a.cfg.BucketAlias)
	a.store = &state.Store{Bucket: b, Layout: a.cfg.Layout(), Scope: scope}
	return a.store, nil
}

// openQueue opens one of the three queues.
func (a *app) openQueue(ctx context.Context, name string) (open.Queue, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queues == nil {
		q, err := a.opener.Queues(ctx, a.cfg.Queues)
		if err != nil {
			return nil, err
		}
		a.queues = q
	}
	specs := a.cfg.QueueSpecs()
	spec := specs[slices.IndexFunc(specs, func(s queue.Spec) bool { return s.Name == name })]
	q, err := a.queues.Queue(ctx, spec)
	if errors.Is(err, queue.ErrNotFound) {
		return nil, fmt.Errorf("%w; shuffle setup creates it", err)
	}
	if err != nil {
		return nil, err
	}
	return monitoredQueue{q, &a.liveness}, nil
}

// openSheets opens the source of the sheets: Google or a folder.
func (a *app) openSheets(ctx context.Context) (open.Sheets, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sheets == nil {
		s, err := a.opener.Sheets(ctx, a.cfg.Sheets, open.Google{Endpoint: a.cfg.SheetsEndpoint, CredentialsFile: a.cfg.GoogleDriveCredentialsFile})
		if err != nil {
			return nil, err
		}
		a.sheets = s
	}
	return a.sheets, nil
}

// openPlanner makes a planner. One that publishes needs the tasks queue.
func (a *app) openPlanner(ctx context.Context, publishes bool) (*planner.Planner, error) {
	store, err := a.openStore(ctx)
	if err != nil {
		return nil, err
	}
	sheets, err := a.openSheets(ctx)
	if err != nil {
		return nil, err
	}
	p := &planner.Planner{Store: store, Bucket: a.bucket, Sheets: sheets, Config: a.plannerConfig(), Log: a.log}
	if terminalWidth(a.screen.stderr) > 0 {
		p.Progress = (&stepLine{screen: a.screen}).show
	}
	if publishes {
		if p.Tasks, err = a.openQueue(ctx, a.cfg.TasksQueue); err != nil {
			return nil, err
		}
	}
	t := &tracker.Tracker{Store: store, Deleter: a.bucket, Options: a.trackerOptions(), Log: a.log}
	p.Finish = t.FinishEmpty
	p.WakeTracker = a.wakeTracker
	return p, nil
}

// wakeTracker sends a probe to the results queue: on the AWS stack the queue's metrics start a
// tracker.
func (a *app) wakeTracker(ctx context.Context) error {
	q, err := a.openQueue(ctx, a.cfg.ResultsQueue)
	if err != nil {
		return err
	}
	return queue.SendAll(ctx, q, []queue.Entry{{Body: messages.EncodeProbe("wake-" + rand.Text())}})
}

func (a *app) plannerConfig() planner.Config {
	return planner.Config{
		Layout: a.cfg.Layout(), BucketNames: a.names, ImageSize: a.cfg.ImageSize, Classes: a.cfg.Classes,
		Split: a.split, Group: a.cfg.Group, Stratify: a.cfg.Stratify, Guard: a.cfg.Guard, Subsample: a.cfg.Subsample, Given: a.cfg.Given,
		MaxBadRows: a.cfg.MaxBadRows, MaxDelete: a.cfg.MaxDelete, MaxRefresh: a.cfg.MaxRefresh, MinPerClass: a.cfg.MinPerClass,
		Lease: a.cfg.PlannerLease, Parallel: a.cfg.Listings,
	}
}

func (a *app) trackerOptions() tracker.Options {
	return tracker.Options{
		Stall: a.cfg.Stall, MaxDead: a.cfg.MaxDead, KeepVersions: a.cfg.KeepVersions, KeepRuns: a.cfg.KeepRuns, Parallel: a.cfg.Listings, Page: a.reportPage, OnResults: a.workers.Record,
		MetricsNamespace: a.cfg.MetricsNamespace,
	}
}

// openTracker makes a tracker with all its ports.
func (a *app) openTracker(ctx context.Context) (*tracker.Tracker, error) {
	store, err := a.openStore(ctx)
	if err != nil {
		return nil, err
	}
	t := &tracker.Tracker{Store: store, Deleter: a.bucket, Options: a.trackerOptions(), Log: a.log}
	if t.Tasks, err = a.openQueue(ctx, a.cfg.TasksQueue); err != nil {
		return nil, err
	}
	if t.Results, err = a.openQueue(ctx, a.cfg.ResultsQueue); err != nil {
		return nil, err
	}
	t.DeadLetters, err = a.openQueue(ctx, a.cfg.DeadLetterQueue)
	return t, err
}

// openTrackerWithoutQueues makes a tracker for commands that need the bucket and no queue.
func (a *app) openTrackerWithoutQueues(ctx context.Context) (*tracker.Tracker, error) {
	store, err := a.openStore(ctx)
	return &tracker.Tracker{Store: store, Deleter: a.bucket, Options: a.trackerOptions(), Log: a.log}, err
}

// openWorker makes a worker.
func (a *app) openWorker(ctx context.Context, change func(*worker.Config)) (*worker.Worker, error) {
	store, err := a.openStore(ctx)
	if err != nil {
		return nil, err
	}
	// ECS makes it unique for each task; the random characters are the process's.
	host, _ := os.Hostname()
	cfg := worker.Config{
		ID: cmp.Or(host, "worker") + "-" + rand.Text()[:6], Layout: a.cfg.Layout(), Bucket: a.bucket, Pointer: store,
		Scope: store.Scope, Runs: store,
		Concurrency: a.cfg.Concurrency, Drain: a.cfg.Drain, Log: a.log,
		Protection: worker.NewECSProtection(os.Getenv("ECS_AGENT_URI")),
	}
	if cfg.Tasks, err = a.openQueue(ctx, a.cfg.TasksQueue); err != nil {
		return nil, err
	}
	if cfg.Results, err = a.openQueue(ctx, a.cfg.ResultsQueue); err != nil {
		return nil, err
	}
	if cfg.DeadLetters, err = a.openQueue(ctx, a.cfg.DeadLetterQueue); err != nil {
		return nil, err
	}
	change(&cfg)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(workerGC)
	}
	return worker.New(cfg), nil
}

// workerGC lets a worker's heap grow by this percentage before the next garbage collection. The
// live heap is about 20 MB. Measured, the higher value costs 80 MB and saves a tenth of the CPU.
const workerGC = 300

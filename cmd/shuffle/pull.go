package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/angel-nft/google-shuffle/internal/pull"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

type pullCmd struct {
	Dir     string   `arg:"" help:"A new or empty folder, or one of an earlier pull."`
	Version *string  `help:"The version's number or tag, or latest, which is the default."`
	Lock    *string  `help:"Pull exactly the files of this lock file. Each pull writes one, shuffle.lock.json, into its folder." placeholder:"FILE"`
	Dataset []string `help:"Pull this dataset only; repeatable." placeholder:"train"`
	Delete  bool     `help:"Delete frames from the folder that are not in the version."`
	JSON    bool     `name:"json" help:"Print one JSON object."`
}

func (c *pullCmd) run(ctx context.Context, a *app) error {
	opt := pull.Options{Datasets: c.Dataset, Dir: c.Dir, Delete: c.Delete, Parallel: a.cfg.Concurrency}
	if err := c.chooseVersion(ctx, a, &opt); err != nil {
		return err
	}
	stderr := styleOf(a.screen.stderr, a.cfg.Local)
	opt.Renumbered = func(changes []state.ClassNumber) {
		// An error of stderr cannot be reported.
		_ = show.ClassNumbers(a.screen, stderr, c.Dir, changes)
	}
	progress := &counter{screen: a.screen, verb: "pulling", tty: isTerminal(a.screen.stderr), lastLine: time.Now()}
	opt.Progress = progress.update
	result, err := pull.Pull(ctx, opt)
	progress.close()
	if err != nil {
		return err
	}
	print := func() error { return show.Pull(a.stdout, a.style, result) }
	if c.JSON {
		print = func() error { return a.printJSON(result) }
	}
	if err := print(); err != nil {
		return err
	}
	if !result.Whole() {
		return errOutcome
	}
	return nil
}

// chooseVersion sets which version to pull, and from which bucket.
func (c *pullCmd) chooseVersion(ctx context.Context, a *app, opt *pull.Options) error {
	if c.Lock != nil && (c.Version != nil || len(c.Dataset) > 0) {
		return usage(errors.New("--lock (SHUFFLE_LOCK): expected without --version and --dataset, since the lock file names both"))
	}
	var lock pull.LockFile
	var err error
	if c.Lock != nil {
		if lock, err = pull.ReadLockFile(*c.Lock); err != nil {
			return err
		}
		opt.Locked, opt.Tag = &lock, lock.Tag
	}
	store, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	opt.Store, opt.Bucket, opt.BucketName = store, a.bucket, a.names[0]
	if opt.Locked != nil {
		opt.Version, err = lock.Find(ctx, store, opt.BucketName)
		return err
	}
	name := version.Latest
	if c.Version != nil {
		name = *c.Version
	}
	opt.Version, err = version.Find(ctx, store, name)
	if version.CheckTag(name) == nil {
		opt.Tag = name
	}
	return err
}

// counter shows the progress of work that this process does itself: a bar on a terminal, elsewhere
// a line every few seconds.
type counter struct {
	screen *screen
	verb   string
	tty    bool

	mu        sync.Mutex
	container *mpb.Progress
	bar       *mpb.Bar
	lastLine  time.Time
	newest    int
}

// update may be called from many goroutines, and out of order.
func (c *counter) update(done, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = max(c.newest, done)
	switch {
	case c.tty && c.bar == nil:
		c.container, c.bar = newBar(c.screen, total,
			mpb.PrependDecorators(decor.Name(c.verb+" ")), mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d")))
	case c.tty:
		c.bar.SetCurrent(int64(c.newest))
	case time.Since(c.lastLine) >= lineEvery:
		c.lastLine = time.Now()
		// An error of stderr cannot be reported.
		_, _ = fmt.Fprintf(c.screen, "%s: %d of %d\n", c.verb, c.newest, total)
	}
}

func (c *counter) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar == nil {
		return
	}
	closeBar(c.screen, c.container, c.bar)
	c.bar = nil
}

package faults_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

const (
	visibility = 10 * time.Second
	stall      = 8 * time.Second
	lease      = 5 * time.Second
)

// world is a bucket and queues with a season, the front between them and the program's processes,
// and the processes.
type world struct {
	site       site
	dir        string
	bucketName string
	ending     string              // suffix of the queues' names
	endpoint   string              // of the front
	bench      *benchserver.Server // behind it; nil: another one
	front      *faults.Front
	audit      *faults.Audit
	env        []string
	clock      func(process string) clock // nil: all clocks are right
	program    string                     // of the next process; "" is the normal one

	editing sync.Mutex
	season  *season.Season
	// The seed of the first run that succeeded; later seeds must be the same.
	drawn string
	// Frames whose rows are gone, and which must remain until someone allows their deletion.
	lost []dataset.Frame

	// Clients without the front, for the tests themselves.
	bucket pastBucket
	store  *state.Store
	queues map[string]pastQueue

	ctx      context.Context // of the services
	stop     context.CancelFunc
	services sync.WaitGroup
	servers  []*httptest.Server
	closers  []func() error

	mu      sync.Mutex
	running map[string]*process
	failure error
	planned int               // number of commands so far, for their names
	edits   int               // number of edits of sheets: grows before and after each
	draft   map[string]int    // number of edits when a run began
	touched map[string]bool   // runs whose objects people have changed; "" is for objects of no run
	before  map[string][]byte // the changed objects, with their content before the change
	last    *process          // of the last command
}

// newWorld makes a world in which nothing has run yet. The caller closes it.
func newWorld(ctx context.Context, at site, seed uint64, o season.Options, env ...string) (w *world, err error) {
	w = &world{site: at, running: map[string]*process{}, queues: map[string]pastQueue{}, draft: map[string]int{}, touched: map[string]bool{}, before: map[string][]byte{}}
	w.ctx, w.stop = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "shuffle-faults-"); err != nil {
		return w, err
	}
	w.env = append([]string{
		"SHUFFLE_CONCURRENCY=8", "SHUFFLE_LISTINGS=4", "SHUFFLE_VISIBILITY_TIMEOUT=" + visibility.String(),
		"SHUFFLE_STALL=" + stall.String(), "SHUFFLE_PLANNER_LEASE=" + lease.String(),
	}, env...)
	w.name()
	o.Seed, o.Bucket = seed, w.bucketName
	if w.season, err = season.Generate(o); err != nil {
		return w, err
	}
	if err := w.open(ctx, seed); err != nil {
		return w, err
	}
	w.store = &state.Store{Bucket: w.bucket, Layout: w.layout()}
	return w, w.fill(ctx)
}

func (w *world) layout() dataset.Layout { return dataset.Layout{Prefix: w.season.Options.Prefix} }

func (w *world) sheets() string { return w.own("sheets") }

// fill writes the season. The content of an image is its own name.
func (w *world) fill(ctx context.Context) error {
	g, writing := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, e := range w.season.Episodes {
		for _, key := range imageKeys(e, e.Images) {
			g.Go(func() error {
				_, err := w.bucket.PutObject(writing, key, []byte(key), bucket.Condition{})
				return err
			})
		}
	}
	if err := errors.Join(g.Wait(), w.season.WriteManifest(ctx, w.bucket)); err != nil {
		return err
	}
	return w.season.WriteSheets(w.sheets())
}

// change edits the first episode and writes its sheet.
func (w *world) change(edit func(*season.Episode) error) error { return w.changeOf(0, edit) }

func (w *world) changeOf(episode int, edit func(*season.Episode) error) error {
	w.editing.Lock()
	defer w.editing.Unlock()
	w.edited()
	defer w.edited()
	e := w.season.Episodes[episode]
	if err := edit(e); err != nil {
		return err
	}
	return e.WriteSheet(w.sheets())
}

func (w *world) edited() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.edits++
}

// relabel gives frames of the first episode other classes.
func (w *world) relabel(n int) error {
	return w.change(func(e *season.Episode) error {
		e.Relabel(n)
		return nil
	})
}

func imageKeys(e *season.Episode, frames []dataset.Frame) []string {
	keys := make([]string, len(frames))
	for i, f := range frames {
		keys[i] = e.ImagePrefix() + f.File()
	}
	return keys
}

// close ends every process and server, and removes the files.
func (w *world) close() error {
	w.stop()
	w.services.Wait()
	w.mu.Lock()
	left := slices.Collect(maps.Values(w.running))
	w.mu.Unlock()
	for _, p := range left {
		_ = p.cmd.Process.Kill() // most have ended
		<-p.ended
	}
	for _, s := range w.servers {
		s.CloseClientConnections()
		s.Close()
	}
	var err error
	for _, end := range w.closers {
		err = errors.Join(err, end())
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

// command runs the program until it exits. It parses the JSON object that the program prints, if
// there is one and into is not nil.
func (w *world) command(ctx context.Context, into any, args ...string) (code int, err error) {
	w.mu.Lock()
	w.planned++
	name := fmt.Sprintf("%s%d", args[0], w.planned)
	w.mu.Unlock()
	p, err := w.start(name, args...)
	if err != nil {
		return 0, err
	}
	w.front.Event("%s started: shuffle %q", name, args)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if code, err = p.code(ctx); err != nil {
		return code, err
	}
	w.mu.Lock()
	w.last = p
	w.mu.Unlock()
	w.front.Event("%s ended: exit code %d", name, code)
	switch code {
	case 0, 1, 3, -1:
	case 2:
		if w.hands() { // people have changed the settings, or the folder
			return code, nil
		}
		fallthrough
	default:
		return code, fmt.Errorf("%s: exit code %d; see %s", name, code, tail(p.log))
	}
	if into != nil && p.out.Len() > 0 {
		err = json.Unmarshal(p.out.Bytes(), into)
	}
	return code, err
}

// lastStderr is the text that the last command wrote to its standard error.
func (w *world) lastStderr() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return tail(w.last.log)
}

// tail is the end of a log.
func tail(path string) string {
	body, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(body[max(0, len(body)-2000):])
}

// wanted is the content that the datasets must have, key → ETag, according to the present sheets.
// It is the test's own implementation of DESIGN 4 and 5.
func (w *world) wanted(ctx context.Context) (map[string]string, error) {
	w.editing.Lock()
	defer w.editing.Unlock()
	now, err := w.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	if w.drawn = cmp.Or(w.drawn, now.Settings.Seed); now.Settings.Seed != w.drawn {
		return nil, fmt.Errorf("the seed was %q and is now %q, without a command that asks for another", w.drawn, now.Settings.Seed)
	}
	all := map[string]string{}
	for _, e := range w.season.Episodes {
		images, err := w.list(ctx, e.ImagePrefix())
		if err != nil {
			return nil, err
		}
		classes, _ := e.Wanted()
		for f, class := range classes {
			place := dataset.Place{Dataset: datasetOf(now.Settings.Seed, f), Class: class}
			all[w.store.Layout.Key(place, f)] = images[e.ImagePrefix()+f.File()]
		}
	}
	return all, nil
}

// datasetOf applies the default split to a frame.
func datasetOf(seed string, f dataset.Frame) string {
	sum := sha256.Sum256([]byte(seed + "\n" + string(f)))
	switch u := float64(binary.BigEndian.Uint64(sum[:8])) / (1 << 64); {
	case u < 0.7:
		return "train"
	case u < 0.8:
		return "validate"
	}
	return "test"
}

// differences compares the datasets with their wanted content.
func (w *world) differences(ctx context.Context) ([]string, error) {
	want, err := w.wanted(ctx)
	if err != nil {
		return nil, err
	}
	stands, err := w.list(ctx, w.store.Layout.ML())
	if err != nil {
		return nil, err
	}
	var all []string
	for key, etag := range want {
		switch got, ok := stands[key]; {
		case !ok:
			all = append(all, key+" is missing")
		case got != etag:
			all = append(all, key+" has other content")
		}
	}
	for key := range stands {
		if _, ok := want[key]; !ok {
			all = append(all, key+" should not be there")
		}
	}
	slices.Sort(all)
	return all, nil
}

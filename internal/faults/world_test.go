package faults_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/angel-nft/google-shuffle/internal/benchserver"
	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/faults"
	"github.com/angel-nft/google-shuffle/internal/s3bucket"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	bucketName = "media.angel-nft.com"
	visibility = 10 * time.Second
	stall      = 8 * time.Second
	lease      = 5 * time.Second
)

var queueNames = []string{"google-shuffle-tasks", "google-shuffle-results", "google-shuffle-dead-letters"}

// world is a bucket and queues with a season, the front through which the program's processes see them, and the processes.
type world struct {
	dir   string
	front *faults.Front
	audit *faults.Audit
	env   []string

	editing sync.Mutex
	season  *season.Season

	// Past the front: what the tests themselves see and do.
	bucket *s3bucket.Bucket
	store  *state.Store
	queues map[string]*sqsqueue.Queue

	ctx      context.Context // of the services
	stop     context.CancelFunc
	services sync.WaitGroup
	servers  []*httptest.Server

	mu      sync.Mutex
	running map[string]*process
	failure error
	planned int // commands so far, for their names
}

// newWorld makes a world in which nothing has run yet. The caller closes it.
func newWorld(ctx context.Context, seed uint64, o season.Options, env ...string) (w *world, err error) {
	w = &world{running: map[string]*process{}, queues: map[string]*sqsqueue.Queue{}}
	w.ctx, w.stop = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "shuffle-faults-"); err != nil {
		return w, err
	}
	o.Seed = seed
	if w.season, err = season.Generate(o); err != nil {
		return w, err
	}
	server := benchserver.New(benchserver.Options{})
	layout := dataset.Layout{Prefix: w.season.Options.Prefix}
	w.front, w.audit = faults.New(server, seed), faults.NewAudit(layout, bucketName)
	w.audit.OnPointer = w.atSuccess
	w.front.Watcher, w.front.PageSize, w.front.Latency = w.audit, 5, 10*time.Millisecond
	behind, before := httptest.NewServer(server), httptest.NewServer(w.front)
	w.servers = []*httptest.Server{before, behind}
	w.env = append([]string{
		"AWS_ENDPOINT_URL=" + before.URL, "AWS_REGION=us-west-2", "AWS_EC2_METADATA_DISABLED=true",
		"SHUFFLE_BUCKET=s3://" + bucketName, "SHUFFLE_SHEETS=file://" + w.sheets(), "SHUFFLE_CONCURRENCY=8", "SHUFFLE_LISTINGS=4",
		"SHUFFLE_VISIBILITY_TIMEOUT=" + visibility.String(), "SHUFFLE_STALL=" + stall.String(), "SHUFFLE_PLANNER_LEASE=" + lease.String(),
	}, env...)
	if err := w.connect(ctx, behind.URL, layout); err != nil {
		return w, err
	}
	return w, w.fill(ctx, server)
}

func (w *world) sheets() string { return filepath.Join(w.dir, "sheets") }

// connect makes the queues with the program itself and opens what the tests see.
func (w *world) connect(ctx context.Context, url string, layout dataset.Layout) error {
	code, err := w.command(ctx, nil, "setup", "--create-bucket")
	if err != nil || code != 0 {
		return fmt.Errorf("setup: exit code %d, %w", code, err)
	}
	cfg := aws.Config{Region: "us-west-2", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("test", "secret", "")}
	w.bucket = s3bucket.New(s3bucket.NewClient(cfg, 16), bucketName)
	w.store = &state.Store{Bucket: w.bucket, Layout: layout}
	client := sqsqueue.NewClient(cfg, 16)
	for _, name := range queueNames {
		if w.queues[name], err = openQueue(ctx, client, name); err != nil {
			return err
		}
	}
	return nil
}

func openQueue(ctx context.Context, client *sqs.Client, name string) (*sqsqueue.Queue, error) {
	return sqsqueue.New(ctx, client, name)
}

// fill writes the season; an image is its own name.
func (w *world) fill(ctx context.Context, server *benchserver.Server) error {
	for _, e := range w.season.Episodes {
		server.Fill(bucketName, imageKeys(e, e.Images))
	}
	if err := w.season.WriteManifest(ctx, w.bucket); err != nil {
		return err
	}
	return w.season.WriteSheets(w.sheets())
}

// change edits the first episode and writes its sheet.
func (w *world) change(edit func(*season.Episode) error) error {
	w.editing.Lock()
	defer w.editing.Unlock()
	if err := edit(w.season.Episodes[0]); err != nil {
		return err
	}
	return w.season.Episodes[0].WriteSheet(w.sheets())
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
	return os.RemoveAll(w.dir)
}

// command runs the program to its end and reads the JSON object that it prints, if into is not nil and it prints one.
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
	w.front.Event("%s ended: exit code %d", name, code)
	switch code {
	case 0, 1, 3, -1:
	default:
		return code, fmt.Errorf("%s: exit code %d; see %s", name, code, tail(p.log))
	}
	if into != nil && p.out.Len() > 0 {
		err = json.Unmarshal(p.out.Bytes(), into)
	}
	return code, err
}

// tail is the end of a log.
func tail(path string) string {
	body, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(body[max(0, len(body)-2000):])
}

// wanted is what the datasets must hold, key → ETag, by the sheets as they are: the test's own reading of DESIGN 4 and 5.
func (w *world) wanted(ctx context.Context) (map[string]string, error) {
	w.editing.Lock()
	defer w.editing.Unlock()
	seed, err := w.store.Seed(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, e := range w.season.Episodes {
		images, err := w.list(ctx, e.ImagePrefix())
		if err != nil {
			return nil, err
		}
		classes, _ := e.Wanted()
		for f, class := range classes {
			place := dataset.Place{Dataset: datasetOf(seed.Seed, f), Class: class}
			all[w.store.Layout.Key(place, f)] = images[e.ImagePrefix()+f.File()]
		}
	}
	return all, nil
}

// datasetOf lays a frame on the default split.
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

func (w *world) list(ctx context.Context, prefix string) (map[string]string, error) {
	all := map[string]string{}
	for page, err := range bucket.Pages(ctx, w.bucket, bucket.ListInput{Prefix: prefix}) {
		if err != nil {
			return nil, err
		}
		for _, o := range page.Objects {
			all[o.Key] = o.ETag
		}
	}
	return all, nil
}

// differences between what stands and what should.
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

package faults_test

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/s3bucket"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

// site is the place of a world's bucket and queues.
type site struct {
	name     string
	endpoint string // endpoint of a LocalStack
}

var (
	server = site{name: "server"} // benchserver, behind the front
	local  = site{name: "local"}  // the embedded default, a folder and SQLite, without a front
)

// localStack is another implementation of S3 and SQS, behind the front.
func localStack(endpoint string) site { return site{"localstack", endpoint} }

// pastBucket is the bucket that the tests use directly, without the front.
type pastBucket interface {
	state.Bucket
	DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error)
}

// pastQueue is a queue that the tests use directly, without the front.
type pastQueue interface {
	SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error)
	ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error)
	GetQueueAttributes(ctx context.Context) (queue.Attributes, error)
	PurgeQueue(ctx context.Context) error
}

// queueNames are the program's default names. Many worlds share a LocalStack, so there each world
// adds a suffix of its own.
var queueNames = []string{"google-shuffle-tasks", "google-shuffle-results", "google-shuffle-dead-letters"}

// name draws the names that must differ between the worlds of a LocalStack.
func (w *world) name() {
	w.bucketName = "media.angel-nft.com"
	if w.site.name != "localstack" {
		return
	}
	w.ending = "-" + strings.ToLower(rand.Text())
	w.bucketName += w.ending
	for i, variable := range []string{"SHUFFLE_TASKS_QUEUE", "SHUFFLE_RESULTS_QUEUE", "SHUFFLE_DEAD_LETTER_QUEUE"} {
		w.env = append(w.env, variable+"="+queueNames[i]+w.ending)
	}
}

// open creates bucket and queues with the program itself, and opens those that the tests use
// directly.
func (w *world) open(ctx context.Context, seed uint64) error {
	if w.site == local {
		return w.openLocal(ctx, seed)
	}
	behind, next := w.site.endpoint, http.Handler(nil)
	if behind == "" {
		s := benchserver.New(benchserver.Options{})
		w.bench = s
		past := httptest.NewServer(s)
		w.servers = append(w.servers, past)
		behind, next = past.URL, s
	} else {
		u, err := url.Parse(behind)
		if err != nil {
			return err
		}
		next = faults.Before(u)
	}
	w.front, w.audit = faults.New(next, seed), faults.NewAudit(w.layout(), w.bucketName)
	w.front.Sheets, w.front.Watcher, w.audit.OnPointer = sheettest.FromFolder(w.sheets()), w.audit, w.onPointer
	w.front.PageSize, w.front.Latency = 5, 10*time.Millisecond
	before := httptest.NewServer(w.front)
	w.servers, w.endpoint = append([]*httptest.Server{before}, w.servers...), before.URL
	w.env = append(w.env, "AWS_ENDPOINT_URL="+before.URL, "AWS_REGION=us-west-2", "AWS_EC2_METADATA_DISABLED=true", "SHUFFLE_BUCKET=s3://"+w.bucketName)
	if err := w.setup(ctx); err != nil {
		return err
	}
	cfg := aws.Config{Region: "us-west-2", BaseEndpoint: &behind, Credentials: credentials.NewStaticCredentialsProvider("test", "secret", "")}
	w.bucket = s3bucket.New(s3bucket.NewClient(cfg, 16), w.bucketName)
	client := sqsqueue.NewClient(cfg, 16)
	for _, name := range queueNames {
		q, err := sqsqueue.New(ctx, client, name+w.ending)
		if err != nil {
			return err
		}
		w.queues[name] = q
	}
	return nil
}

// own is a path in the folder of the embedded default.
func (w *world) own(part string) string { return filepath.Join(w.dir, "own", part) }

func (w *world) openLocal(ctx context.Context, seed uint64) error {
	// Only for the story.
	w.front, w.audit = faults.New(http.NotFoundHandler(), seed), faults.NewAudit(w.layout(), w.bucketName)
	w.env = append(w.env, "SHUFFLE_LOCAL="+w.own(""), "SHUFFLE_CONCURRENCY=1")
	if err := w.setup(ctx); err != nil {
		return err
	}
	folder, err := dirbucket.Open(w.own("bucket"))
	if err != nil {
		return err
	}
	w.bucket, w.closers = folder, []func() error{folder.Close}
	for _, name := range queueNames {
		w.queues[name] = fileQueue{w.own("queues.db"), name}
	}
	return nil
}

// fileQueue is a queue in the file that has the path at the time of the call: people delete the
// file and damage it.
type fileQueue struct{ path, name string }

func (q fileQueue) use(ctx context.Context, do func(*sqlitequeue.Queue) error) error {
	if q.removed() {
		return nil
	}
	err := q.open(ctx, do)
	if err != nil && q.removed() { // in the meantime
		return nil
	}
	return err
}

// removed reports whether a person has removed the file, with all messages.
func (q fileQueue) removed() bool {
	_, err := os.Stat(q.path)
	return err != nil
}

func (q fileQueue) open(ctx context.Context, do func(*sqlitequeue.Queue) error) error {
	file, err := sqlitequeue.Open(q.path)
	if err != nil {
		return err
	}
	opened, err := file.Queue(ctx, q.name)
	if errors.Is(err, queue.ErrNotFound) {
		return file.Close() // the next process that needs it creates it again
	}
	if err == nil {
		err = do(opened)
	}
	return errors.Join(err, file.Close())
}

func (q fileQueue) SendMessageBatch(ctx context.Context, entries []queue.Entry) (failed []queue.Failure, err error) {
	err = q.use(ctx, func(o *sqlitequeue.Queue) (err error) {
		failed, err = o.SendMessageBatch(ctx, entries)
		return err
	})
	return failed, err
}

func (q fileQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) (got []queue.Message, err error) {
	err = q.use(ctx, func(o *sqlitequeue.Queue) (err error) {
		got, err = o.ReceiveMessage(ctx, most, wait)
		return err
	})
	return got, err
}

func (q fileQueue) GetQueueAttributes(ctx context.Context) (a queue.Attributes, err error) {
	err = q.use(ctx, func(o *sqlitequeue.Queue) (err error) {
		a, err = o.GetQueueAttributes(ctx)
		return err
	})
	return a, err
}

func (q fileQueue) PurgeQueue(ctx context.Context) error {
	return q.use(ctx, func(o *sqlitequeue.Queue) error { return o.PurgeQueue(ctx) })
}

func (w *world) setup(ctx context.Context) error {
	code, err := w.command(ctx, nil, "setup", "--create-bucket")
	if err != nil || code != 0 {
		return fmt.Errorf("setup: exit code %d, %w", code, err)
	}
	return nil
}

// list returns the objects below a prefix, key → ETag. It walks a folder with other code than the
// program's.
func (w *world) list(ctx context.Context, prefix string) (map[string]string, error) {
	if w.site == local {
		return walk(w.own("bucket"), prefix)
	}
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

func walk(root, prefix string) (map[string]string, error) {
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), strings.TrimSuffix(prefix, "/"), func(key string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it does not exist, or no longer exists
		}
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(os.DirFS(root), key)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		sum := md5.Sum(body)
		all[key] = hex.EncodeToString(sum[:])
		return err
	})
	return all, err
}

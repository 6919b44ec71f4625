package open_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

func newOpener(t *testing.T) *open.Opener {
	t.Helper()
	o := open.New(8)
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// fileURL is the URL of a file below a temporary folder.
func fileURL(scheme, path string) string {
	return (&url.URL{Scheme: scheme, Path: "/" + strings.TrimPrefix(filepath.ToSlash(path), "/")}).String()
}

// refused are URLs that name no adapter, whichever port they are given to.
var refused = []string{
	"", "frames", "/srv/frames", "ftp://host/dir", "file://", "file:///", "file://dir", "file://dir/sub", "file:relative/dir",
	"s3://", "s3://bucket/folder", "s3://bucket?region=x", "s3://bucket#x", "s3://user@bucket", "sqs://name", "sqs:///name",
	"sqlite://", "sqlite:///", "sqlite://queues.db", "sqlite:queues.db", "google://host", "google:///id", "://", "s3://%zz", "S3:bucket",
}

// Each port refuses what is none of its URLs, and says which flag and variable it is of, and what
// was expected.
func TestRefusedURLs(t *testing.T) {
	o := newOpener(t)
	for _, port := range []struct {
		flag, variable string
		expected       []string
		open           func(raw string) error
	}{
		{"--bucket", "SHUFFLE_BUCKET", []string{"s3://NAME", "file:///DIR"}, func(raw string) error {
			_, _, err := o.Bucket(t.Context(), raw)
			return err
		}},
		{"--bucket", "SHUFFLE_BUCKET", []string{"s3://NAME", "file:///DIR"}, func(raw string) error {
			return o.CreateBucket(t.Context(), raw)
		}},
		{"--queues", "SHUFFLE_QUEUES", []string{"sqs://", "sqlite:///FILE"}, func(raw string) error {
			_, err := o.Queues(t.Context(), raw)
			return err
		}},
		{"--sheets", "SHUFFLE_SHEETS", []string{"google://", "file:///DIR"}, func(raw string) error {
			_, err := o.Sheets(t.Context(), raw, open.Google{})
			return err
		}},
	} {
		for _, raw := range refused {
			err := port.open(raw)
			if !errors.Is(err, open.ErrURL) {
				t.Errorf("%s %q: %v, want ErrURL", port.flag, raw, err)
				continue
			}
			shown := strings.Replace(raw, "user@", "***@", 1) // it may be a password
			for _, word := range append(port.expected, port.flag, port.variable, `"`+shown+`"`) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s %q: %v does not say %s", port.flag, raw, err, word)
				}
			}
		}
	}
}

func TestBucketInAFolder(t *testing.T) {
	o := newOpener(t)
	dir := filepath.Join(t.TempDir(), "50% of #1", "media.angel-nft.com")
	b, names, err := o.Bucket(t.Context(), fileURL("file", dir))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(names, []string{"media.angel-nft.com"}) {
		t.Errorf("the bucket is called %q", names)
	}
	if _, err := b.PutObject(t.Context(), "a/b.txt", []byte("content"), bucket.Condition{}); err != nil {
		t.Fatal(err)
	}
	if body, err := os.ReadFile(filepath.Join(dir, "a", "b.txt")); err != nil || string(body) != "content" {
		t.Errorf("the object's file: %q, %v", body, err)
	}
}

// A bucket that cannot be opened is named.
func TestBucketInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	raw := fileURL("file", file)
	if _, _, err := newOpener(t).Bucket(t.Context(), raw); err == nil || !strings.Contains(err.Error(), "open bucket "+raw) {
		t.Errorf("%v", err)
	}
	if _, err := newOpener(t).Queues(t.Context(), fileURL("sqlite", filepath.Join(file, "queues.db"))); err == nil || !strings.Contains(err.Error(), "folder of the queues") {
		t.Errorf("%v", err)
	}
	if _, err := newOpener(t).Queues(t.Context(), fileURL("sqlite", filepath.Dir(file))); err == nil || !strings.Contains(err.Error(), filepath.Dir(file)) {
		t.Errorf("%v", err)
	}
	if _, err := newOpener(t).Sheets(t.Context(), raw, open.Google{}); err == nil || !strings.Contains(err.Error(), "folder of sheets") {
		t.Errorf("%v", err)
	}
}

func TestQueuesInAFile(t *testing.T) {
	o := newOpener(t)
	file := filepath.Join(t.TempDir(), "not there yet", "queues.db")
	queues, err := o.Queues(t.Context(), fileURL("sqlite", file))
	if err != nil {
		t.Fatal(err)
	}
	// The dead-letter queue that the spec names is created before the queue that needs it.
	spec := queue.Spec{Name: "tasks", VisibilityTimeout: time.Minute, MaxReceiveCount: 3, DeadLetterQueue: "dead-letters"}
	q, err := queues.Queue(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	a, err := q.GetQueueAttributes(t.Context())
	if err != nil || a.VisibilityTimeout != time.Minute || a.MaxReceiveCount != 3 || a.DeadLetterQueue != "dead-letters" {
		t.Errorf("%+v, %v", a, err)
	}
	dead, err := queues.Queue(t.Context(), queue.Spec{Name: "dead-letters"})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := dead.GetQueueAttributes(t.Context()); err != nil || a.VisibilityTimeout != time.Minute || a.DeadLetterQueue != "" {
		t.Errorf("the dead-letter queue: %+v, %v", a, err)
	}
	// Opening does not change an existing queue. Setup changes it.
	spec.VisibilityTimeout = 2 * time.Minute
	for _, step := range []struct {
		do   func() error
		want time.Duration
	}{
		{func() error { _, err := queues.Queue(t.Context(), spec); return err }, time.Minute},
		{func() error { return queues.Setup(t.Context(), spec) }, 2 * time.Minute},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if a, err := q.GetQueueAttributes(t.Context()); err != nil || a.VisibilityTimeout != step.want {
			t.Errorf("visibility timeout %s, want %s; %v", a.VisibilityTimeout, step.want, err)
		}
	}
	for _, bad := range []queue.Spec{{Name: "q.fifo"}, {Name: "q", MaxReceiveCount: 1, DeadLetterQueue: "d d"}} {
		if _, err := queues.Queue(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "1 to 80") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// After Close nothing that was opened can be used.
func TestClose(t *testing.T) {
	o := open.New(8)
	dir := t.TempDir()
	b, _, err := o.Bucket(t.Context(), fileURL("file", filepath.Join(dir, "bucket")))
	if err != nil {
		t.Fatal(err)
	}
	queues, err := o.Queues(t.Context(), fileURL("sqlite", filepath.Join(dir, "queues.db")))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second has nothing to close
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.HeadObject(context.WithoutCancel(t.Context()), "key"); err == nil || errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("the bucket: %v", err)
	}
	if err := queues.Setup(t.Context(), queue.Spec{Name: "q"}); err == nil {
		t.Error("the queues can be used")
	}
}

// A folder is created when it is opened, not by CreateBucket.
func TestCreateBucketInAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	if err := newOpener(t).CreateBucket(t.Context(), fileURL("file", dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

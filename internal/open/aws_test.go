package open_test

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// aws sets the SDK's own settings, and removes those of the person who runs the test.
func aws(t *testing.T, endpoint string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
	} {
		t.Setenv(name, value)
	}
}

// Opening a bucket asks nothing of AWS; its name is that of the URL.
func TestBucketInS3IsNotAsked(t *testing.T) {
	aws(t, "http://127.0.0.1:1")
	for _, raw := range []string{"s3://media.angel-nft.com", "s3://media.angel-nft.com/"} {
		b, names, err := newOpener(t).Bucket(t.Context(), raw)
		if err != nil || b == nil || !slices.Equal(names, []string{"media.angel-nft.com"}) {
			t.Errorf("%s: %v, %q, %v", raw, b, names, err)
		}
	}
}

// A profile that is not there is told with where the settings are looked for, by every port of AWS.
func TestBadProfile(t *testing.T) {
	aws(t, "http://127.0.0.1:1")
	t.Setenv("AWS_PROFILE", "no-such-profile")
	o := newOpener(t)
	_, _, bucketErr := o.Bucket(t.Context(), "s3://bucket")
	_, queuesErr := o.Queues(t.Context(), "sqs://")
	for _, err := range []error{bucketErr, queuesErr, o.CreateBucket(t.Context(), "s3://bucket")} {
		if err == nil || !strings.Contains(err.Error(), "no-such-profile") || !strings.Contains(err.Error(), "AWS_PROFILE") {
			t.Errorf("%v", err)
		}
	}
}

// Without a region in the environment, the bucket's own is taken.
func TestS3(t *testing.T) {
	aws(t, testenv.AWSEndpoint(t))
	o, raw := newOpener(t), "s3://open.test-"+strings.ToLower(rand.Text())
	for range 2 { // safe to repeat
		if err := o.CreateBucket(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	b, _, err := o.Bucket(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	etag, err := b.PutObject(t.Context(), "key", []byte("content"), bucket.Condition{IfNoneMatch: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.HeadObject(t.Context(), "key"); err != nil || got.ETag != etag || got.Size != 7 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Queues of SQS are opened by name or by URL; one that is not there is not created by that.
func TestSQS(t *testing.T) {
	aws(t, testenv.AWSEndpoint(t))
	queues, err := newOpener(t).Queues(t.Context(), "sqs://")
	if err != nil {
		t.Fatal(err)
	}
	id := rand.Text()
	dead := queue.Spec{Name: "dead-" + id, VisibilityTimeout: time.Minute}
	tasks := queue.Spec{Name: "tasks-" + id, VisibilityTimeout: time.Minute, MaxReceiveCount: 3, DeadLetterQueue: dead.Name}
	if _, err := queues.Queue(t.Context(), tasks); !errors.Is(err, queue.ErrNotFound) || !strings.Contains(err.Error(), tasks.Name) {
		t.Errorf("before the setup: %v", err)
	}
	for _, spec := range []queue.Spec{dead, tasks} {
		if err := queues.Setup(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	byName, err := queues.Queue(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	addressed, ok := byName.(interface{ URL() string })
	if !ok {
		t.Fatalf("a queue of SQS has a URL: %T", byName)
	}
	byURL, err := queues.Queue(t.Context(), queue.Spec{Name: addressed.URL()})
	if err != nil {
		t.Fatal(err)
	}
	if failed, err := byName.SendMessageBatch(t.Context(), []queue.Entry{{Body: "hello"}}); err != nil || len(failed) > 0 {
		t.Fatal(failed, err)
	}
	got, err := byURL.ReceiveMessage(t.Context(), 10, 5*time.Second)
	if err != nil || len(got) != 1 || got[0].Body != "hello" {
		t.Errorf("received by the URL: %+v, %v", got, err)
	}
	if a, err := byURL.GetQueueAttributes(t.Context()); err != nil || a.DeadLetterQueue != dead.Name || a.MaxReceiveCount != 3 {
		t.Errorf("%+v, %v", a, err)
	}
}

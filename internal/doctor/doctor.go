// Package doctor tries what the stages will ask of the bucket and the queues, and says what to fix.
package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/show"
)

// BucketAPI is what is tried of a bucket.
type BucketAPI interface {
	ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error)
	GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error)
	PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (etag string, err error)
	CopyObject(ctx context.Context, src, dst, ifMatch string) (etag string, err error)
	DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error)
}

// QueueAPI is what is tried of a queue.
type QueueAPI interface {
	GetQueueAttributes(ctx context.Context) (queue.Attributes, error)
}

func check(name string, err error, detail, fix string) show.Check {
	if err != nil {
		return show.Check{Name: name, Detail: err.Error(), Fix: cmp.Or(Advice(err), fix)} // the cause before the step
	}
	return show.Check{Name: name, OK: true, Detail: detail}
}

// probe is a name that no object of the program has.
const probe = "shuffle-doctor"

// Bucket tries every right that planner, workers and tracker need. Nothing of the datasets is written: the copy is asked for under a
// condition that does not hold, and the delete for a key that is never there, both of which the bucket answers only to
// those who may.
func Bucket(ctx context.Context, b BucketAPI, l dataset.Layout) []show.Check {
	rights := func(actions, where string) string { return "grant " + actions + " on " + where }
	_, err := bucket.List(ctx, b, bucket.ListInput{Prefix: l.ML(), MaxKeys: 1})
	list := check("list the bucket", err, "s3:ListBucket", "check the bucket's name and region, and "+rights("s3:ListBucket", "the bucket"))
	if err != nil {
		return []show.Check{list} // the rest would only say the same again
	}
	key := l.State() + probe + "-" + rand.Text()
	etag, err := b.PutObject(ctx, key, []byte("written by shuffle doctor; may be deleted\n"), bucket.Condition{IfNoneMatch: true})
	put := check("write the state", err, "s3:PutObject, with If-None-Match", rights("s3:PutObject", l.State()+"*"))
	if err != nil {
		return []show.Check{list, put}
	}
	_, twice := b.PutObject(ctx, key, nil, bucket.Condition{IfNoneMatch: true})
	_, read := b.GetObject(ctx, key, "")
	_, copied := b.CopyObject(ctx, key, l.ML()+probe, "not-"+etag)
	return []show.Check{
		list, put,
		check("conditional writes", refused(twice), "held", "this store ignores If-None-Match; the program's state would not be safe in it"),
		check("read the state", read, "s3:GetObject", rights("s3:GetObject", "the bucket")),
		check("copy to the datasets", refused(copied), "s3:PutObject", rights("s3:GetObject, s3:PutObject (and s3:GetObjectTagging, s3:PutObjectTagging for tagged images)", l.ML()+"*")),
		check("delete in the datasets", deleted(b.DeleteObjects(ctx, []string{l.ML() + probe})), "s3:DeleteObject", rights("s3:DeleteObject", l.ML()+"*")),
		check("delete the probe", deleted(b.DeleteObjects(ctx, []string{key})), "s3:DeleteObject", rights("s3:DeleteObject", l.State()+"*")),
	}
}

// Strays lists everything below ML/ for keys that are no frames of a dataset. They are no fault:
// the program leaves them alone.
func Strays(ctx context.Context, d dataset.Destination) show.Check {
	strays, err := d.AllStrays(ctx)
	c := check("keys below "+d.Layout.ML(), err, show.Strays(strays), "grant s3:ListBucket on the bucket")
	c.Warns = strays != nil
	return c
}

// refused turns the answer to a request whose condition does not hold into what it says about the right to make it.
func refused(err error) error {
	switch {
	case errors.Is(err, bucket.ErrPrecondition):
		return nil
	case err == nil:
		return errors.New("the condition of a request was ignored")
	}
	return err
}

func deleted(failed []*bucket.Error, err error) error {
	if err != nil {
		return err
	}
	for _, e := range failed {
		return e
	}
	return nil
}

// TasksQueue compares the tasks queue with how setup makes it.
func TasksQueue(ctx context.Context, q QueueAPI, want queue.Spec) []show.Check {
	a, err := q.GetQueueAttributes(ctx)
	name := "queue " + want.Name
	if err != nil {
		return []show.Check{check(name, err, "", "grant sqs:GetQueueAttributes, or create it: shuffle setup")}
	}
	var policy error
	switch {
	case a.DeadLetterQueue == "":
		policy = errors.New("it has no redrive policy: a task that kills its worker would be delivered for ever")
	case a.MaxReceiveCount < 2:
		policy = fmt.Errorf("its redrive policy gives a task up after %d receive, which every crash of a worker costs", a.MaxReceiveCount)
	}
	return append([]show.Check{visibility(name, a, want)},
		check(name+", redrive", policy, fmt.Sprintf("to %s after %d receives", a.DeadLetterQueue, a.MaxReceiveCount), "shuffle setup"))
}

// Queue compares another queue with how setup makes it.
func Queue(ctx context.Context, q QueueAPI, want queue.Spec) []show.Check {
	a, err := q.GetQueueAttributes(ctx)
	if err != nil {
		return []show.Check{check("queue "+want.Name, err, "", "grant sqs:GetQueueAttributes, or create it: shuffle setup")}
	}
	return []show.Check{visibility("queue "+want.Name, a, want)}
}

func visibility(name string, a queue.Attributes, want queue.Spec) show.Check {
	var err error
	if a.VisibilityTimeout < want.Visibility() {
		err = fmt.Errorf("its visibility timeout is %s, expected %s", a.VisibilityTimeout, want.Visibility())
	}
	detail := fmt.Sprintf("visibility timeout %s; %d messages, %d in flight", a.VisibilityTimeout.Round(time.Second), a.Visible, a.InFlight)
	return check(name, err, detail, "shuffle setup")
}

// Package doctor tests the bucket and the queues for every request of the stages, and reports what
// to fix.
package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/show"
)

// BucketAPI has the tested calls of a bucket.
type BucketAPI interface {
	ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error)
	GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error)
	PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (etag string, err error)
	CopyObject(ctx context.Context, src, dst, ifMatch string) (etag string, err error)
	DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error)
}

func check(name string, err error, detail, fix string) show.Check {
	if err != nil {
		// The advice for the cause is better than that for the step.
		return show.Check{Name: name, Detail: err.Error(), Fix: cmp.Or(Advice(err), fix)}
	}
	return show.Check{Name: name, OK: true, Detail: detail}
}

// probe is a name that the program never uses for an object.
const probe = "shuffle-doctor"

// Bucket tests every permission that planner, workers and tracker need. It does not change the
// datasets. The copy has a condition that is false, and the delete has a key that never exists. For
// both the bucket checks the permission first.
func Bucket(ctx context.Context, b BucketAPI, l dataset.Layout) []show.Check {
	rights := func(actions, where string) string { return "grant " + actions + " on " + where }
	_, err := bucket.List(ctx, b, bucket.ListInput{Prefix: l.ML(), MaxKeys: 1})
	list := check("list the bucket", err, "s3:ListBucket", "check the bucket's name and region, and "+rights("s3:ListBucket", "the bucket"))
	if err != nil {
		return []show.Check{list} // the other checks would fail in the same way
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

// Strays lists everything below ML/ for keys that are not frames of a dataset. They are not a
// fault, because the program does not touch them.
func Strays(ctx context.Context, d dataset.Destination) show.Check {
	strays, err := d.AllStrays(ctx)
	c := check("keys below "+d.Layout.ML(), err, show.Strays(strays), "grant s3:ListBucket on the bucket")
	c.Warning = strays != nil
	return c
}

// refused converts the answer to a request with a false condition. The expected refusal proves the
// permission, so it becomes nil.
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

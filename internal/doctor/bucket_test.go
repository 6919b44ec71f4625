package doctor_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/show"
)

var layout = dataset.Layout{Prefix: "tuttle_twins"}

// newBucket is a bucket with one image in a dataset.
func newBucket(t *testing.T) *dirbucket.Bucket {
	t.Helper()
	b, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := b.PutObject(t.Context(), "tuttle_twins/ML/train/Rare/image.jpg", []byte("image"), bucket.Condition{}); err != nil {
		t.Fatal(err)
	}
	return b
}

// limited is a bucket with a policy: it refuses some calls for keys under a prefix.
type limited struct {
	doctor.BucketAPI
	calls []string
	under string
}

func (b limited) refuses(call, key string) *bucket.Error {
	if !slices.Contains(b.calls, call) || !strings.HasPrefix(key, b.under) {
		return nil
	}
	return &bucket.Error{Op: call, Key: key, Code: bucket.CodeAccessDenied, Status: http.StatusForbidden, Err: errors.New("access denied")}
}

func (b limited) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	if err := b.refuses("ListObjects", in.Prefix); err != nil {
		return bucket.Page{}, err
	}
	return b.BucketAPI.ListObjects(ctx, in)
}

func (b limited) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	if err := b.refuses("GetObject", key); err != nil {
		return bucket.Content{}, err
	}
	return b.BucketAPI.GetObject(ctx, key, ifNoneMatch)
}

func (b limited) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if err := b.refuses("PutObject", key); err != nil {
		return "", err
	}
	return b.BucketAPI.PutObject(ctx, key, body, cond)
}

func (b limited) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	if err := b.refuses("CopyObject", dst); err != nil {
		return "", err
	}
	return b.BucketAPI.CopyObject(ctx, src, dst, ifMatch)
}

// DeleteObjects refuses single keys, as S3 does, or the whole request.
func (b limited) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	if err := b.refuses("whole DeleteObjects", keys[0]); err != nil {
		return nil, err
	}
	if refused := b.refuses("DeleteObjects", keys[0]); refused != nil {
		return []*bucket.Error{refused}, nil //nolint:nilerr // The request is answered; a key in it is refused.
	}
	return b.BucketAPI.DeleteObjects(ctx, keys)
}

// careless is a store that ignores conditions.
type careless struct{ doctor.BucketAPI }

func (b careless) PutObject(ctx context.Context, key string, body []byte, _ bucket.Condition) (string, error) {
	return b.BucketAPI.PutObject(ctx, key, body, bucket.Condition{})
}

func (b careless) CopyObject(ctx context.Context, src, dst, _ string) (string, error) {
	return b.BucketAPI.CopyObject(ctx, src, dst, "")
}

// finding is a check that fails, with what its detail and its advice must say.
type finding struct{ name, detail, fix string }

// mustFind compares the checks that failed, in order.
func mustFind(t *testing.T, checks []show.Check, want ...finding) {
	t.Helper()
	var failed []show.Check
	for _, c := range checks {
		switch {
		case !c.OK:
			failed = append(failed, c)
		case c.Name == "" || c.Detail == "" || c.Fix != "":
			t.Errorf("passed, without saying what was found or with advice: %+v", c)
		}
	}
	if len(failed) != len(want) {
		t.Fatalf("%d checks failed, want %d: %+v", len(failed), len(want), failed)
	}
	for i, c := range failed {
		if c.Name != want[i].name || !strings.Contains(c.Detail, want[i].detail) || !strings.Contains(c.Fix, want[i].fix) {
			t.Errorf("found %+v\nwant %+v", c, want[i])
		}
	}
}

func TestBucket(t *testing.T) {
	const state, ml = "tuttle_twins/shuffle/", "tuttle_twins/ML/"
	for _, tc := range []struct {
		name   string
		change func(b doctor.BucketAPI) doctor.BucketAPI
		checks int
		want   []finding
	}{
		{"every right", func(b doctor.BucketAPI) doctor.BucketAPI { return b }, 7, nil},
		{"no list", policy(ml, "ListObjects"), 1, []finding{{"list the bucket", "access denied", "grant s3:ListBucket on the bucket"}}},
		{"no writes of the state", policy(state, "PutObject"), 2, []finding{{"write the state", "access denied", "grant s3:PutObject on tuttle_twins/shuffle/*"}}},
		{"no reads", policy("", "GetObject"), 7, []finding{{"read the state", "access denied", "grant s3:GetObject on the bucket"}}},
		{"no copies", policy(ml, "CopyObject"), 7, []finding{{"copy to the datasets", "access denied", "s3:PutObject (and s3:GetObjectTagging, s3:PutObjectTagging for tagged images) on tuttle_twins/ML/*"}}},
		{"no deletes of images", policy(ml, "DeleteObjects"), 7, []finding{{"delete in the datasets", "access denied", "grant s3:DeleteObject on tuttle_twins/ML/*"}}},
		{"no deletes at all", policy("", "whole DeleteObjects"), 7, []finding{
			{"delete in the datasets", "access denied", "grant s3:DeleteObject on tuttle_twins/ML/*"},
			{"delete the probe", "access denied", "grant s3:DeleteObject on tuttle_twins/shuffle/*"},
		}},
		{"no conditions", func(b doctor.BucketAPI) doctor.BucketAPI { return careless{b} }, 7, []finding{
			{"conditional writes", "the condition of a request was ignored", "this store ignores If-None-Match"},
			{"copy to the datasets", "the condition of a request was ignored", ml},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBucket(t)
			checks := doctor.Bucket(t.Context(), tc.change(b), layout)
			if len(checks) != tc.checks {
				t.Errorf("%d checks, want %d", len(checks), tc.checks)
			}
			mustFind(t, checks, tc.want...)
			mustBeAsBefore(t, b)
		})
	}
}

func policy(under string, calls ...string) func(doctor.BucketAPI) doctor.BucketAPI {
	return func(b doctor.BucketAPI) doctor.BucketAPI { return limited{b, calls, under} }
}

// mustBeAsBefore: the image stands; of the doctor at most the probe is left, where it may not be
// deleted.
func mustBeAsBefore(t *testing.T, b *dirbucket.Bucket) {
	t.Helper()
	var keys []string
	for page, err := range bucket.Pages(t.Context(), b, bucket.ListInput{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			if !strings.HasPrefix(o.Key, "tuttle_twins/shuffle/shuffle-doctor-") || !strings.Contains(t.Name(), "no_deletes_at_all") {
				keys = append(keys, o.Key)
			}
		}
	}
	if !slices.Equal(keys, []string{"tuttle_twins/ML/train/Rare/image.jpg"}) {
		t.Errorf("the bucket holds %q", keys)
	}
}

func TestStrays(t *testing.T) {
	b := newBucket(t)
	d := dataset.Destination{Bucket: b, Layout: layout, Datasets: []string{"train"}, Parallel: 2}
	c := doctor.Strays(t.Context(), d)
	if !c.OK || !c.Warning || !strings.Contains(c.Detail, "1 key below ML/") || !strings.Contains(c.Detail, "tuttle_twins/ML/train/Rare/image.jpg") {
		t.Errorf("found %+v", c)
	}
	if _, err := b.DeleteObjects(t.Context(), []string{"tuttle_twins/ML/train/Rare/image.jpg"}); err != nil {
		t.Fatal(err)
	}
	if c := doctor.Strays(t.Context(), d); !c.OK || c.Warning || c.Detail != "none" {
		t.Errorf("without strays: %+v", c)
	}
	d.Bucket = policy("", "ListObjects")(b)
	if c := doctor.Strays(t.Context(), d); c.OK || c.Warning || !strings.Contains(c.Fix, "s3:ListBucket") {
		t.Errorf("not to be listed: %+v", c)
	}
}

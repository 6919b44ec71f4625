package state_test

import (
	"context"
	"errors"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// noBucket answers as S3 does when the bucket does not exist.
type noBucket struct{ state.Bucket }

var errNoBucket = &bucket.Error{Code: bucket.CodeNoSuchBucket, Status: 404, Err: errors.New("no such bucket")}

func (noBucket) GetObject(context.Context, string, string) (bucket.Content, error) {
	return bucket.Content{}, errNoBucket
}

func (noBucket) ListObjects(context.Context, bucket.ListInput) (bucket.Page, error) {
	return bucket.Page{}, errNoBucket
}

// A missing bucket is no missing plan: no run ends for it.
func TestPlanInForceWithoutBucket(t *testing.T) {
	w := newSettingsWorld(t)
	s := *w.Store
	s.Bucket = noBucket{s.Bucket}
	if _, err := s.PlanInForce(t.Context(), state.Pointer{Run: "20000101T000000Z-1-test", Generation: 1, Tasks: 1}); err == nil || state.Lost(err) {
		t.Errorf("error %v", err)
	}
}

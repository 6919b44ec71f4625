package faults_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// TestOutage: S3 does not answer until the outage ends, and SQS works.
func TestOutage(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.front.Add(faults.Rule{Kind: faults.Outage, First: 1, Times: -1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var e *bucket.Error
	if _, err := p.bucket.HeadObject(ctx, "key"); !errors.As(err, &e) || e.Code != bucket.CodeTransport {
		t.Errorf("a read: %v", err)
	}
	if _, err := p.queue.SendMessageBatch(t.Context(), []queue.Entry{{Body: "a"}}); err != nil || visible(t, p.waiting) != 1 {
		t.Errorf("a message: %v", err)
	}
	p.front.End(faults.Outage)
	if _, err := p.bucket.HeadObject(t.Context(), "key"); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

// TestForeign: a listing has a key outside its prefix, and the adapter refuses that page.
func TestForeign(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.front.Add(faults.Rule{Kind: faults.Foreign, Op: "ListObjectsV2", First: 2})
	for _, fails := range []bool{false, true, false} {
		var last error
		for _, err := range bucket.Pages(t.Context(), p.bucket, bucket.ListInput{Prefix: "ke"}) {
			last = err
		}
		if fails != (last != nil) || fails && !strings.Contains(last.Error(), "prefix") {
			t.Errorf("%v; expected to fail: %t", last, fails)
		}
	}
}

// TestAged: one read finds the object older than it is.
func TestAged(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.front.Add(faults.Rule{Kind: faults.Aged, Target: "key", First: 2, Delay: time.Hour})
	for _, aged := range []bool{false, true, false} {
		c, err := p.bucket.GetObject(t.Context(), "key", "")
		if err != nil || (c.Age > 59*time.Minute) != aged {
			t.Errorf("age %s, %v; expected an hour: %t", c.Age, err, aged)
		}
	}
}

// TestRefused: the front counts the refused writes of one key.
func TestRefused(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.front.Add(faults.Rule{Kind: faults.Precondition, Target: "x", First: 1, Times: 3})
	for _, key := range []string{"x", "x", "x", "x", "x", "y"} {
		_, _ = p.bucket.PutObject(t.Context(), key, nil, bucket.Condition{IfNoneMatch: true})
	}
	if n, what := p.front.Refused(time.Hour); n != 4 || what != "me: x" { // the fifth write finds the fourth's object
		t.Errorf("%d writes of %s were refused", n, what)
	}
	if n := p.front.Asked("me"); n != 9 { // with three for the queue
		t.Errorf("%d requests", n)
	}
	if n := p.front.Unanswered(faults.Precondition); n != 0 {
		t.Errorf("%d requests have no answer", n)
	}
}

// TestAuditOfTheFence: a planner that lists too early is reported, and the ends of runs are kept.
func TestAuditOfTheFence(t *testing.T) {
	t.Parallel()
	pointer := func(gen int64, run string, s state.State) faults.Request {
		body := encode(t, state.Pointer{Generation: gen, Run: run, State: s, Tasks: 5, Fence: state.Fence{CacheMS: 50, AttemptMS: 50}})
		return faults.Request{Op: "PutObject", Target: "tt/shuffle/current.json", From: "plan1", Body: body}
	}
	listed := faults.Request{Op: "ListObjectsV2", From: "plan1", Target: "tt/ML/test/"}
	for _, early := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a := faults.NewAudit(dataset.Layout{Prefix: "tt"}, "b")
			for _, q := range []faults.Request{
				pointer(1, "a", state.Planning), listed, pointer(1, "a", state.Running), pointer(1, "a", state.Failed), pointer(1, "a", state.Running),
				pointer(1, "a", state.Succeeded), pointer(2, "b", state.Planning),
			} {
				a.Applied(q, nil)
			}
			if !early {
				<-time.After(state.Fence{CacheMS: 50, AttemptMS: 50}.Quiet())
			}
			a.Applied(listed, nil)
			if v := a.Violations(); (len(v) > 0) != early || early && !strings.Contains(v[0], "before the workers of the run before") {
				t.Errorf("early: %t, %q", early, v)
			}
			if ends := a.Ends(); len(ends) != 1 || len(ends["a"]) != 2 || ends["a"][1].State != state.Succeeded {
				t.Errorf("the ends are %v", ends)
			}
		})
	}
}

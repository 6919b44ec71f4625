package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sending is a batcher that records what it sends, and when.
type sending struct {
	batcher
	began time.Time

	mu    sync.Mutex
	batch []string // "1s [1 2]"
}

func newSending(size, parallel int, send func([]*delivery) map[*delivery]error) *sending {
	s := &sending{began: time.Now()}
	s.batcher = batcher{
		size: always(size), weigh: (*delivery).keys, wait: time.Second, free: make(chan struct{}, parallel),
		send: func(_ context.Context, batch []*delivery) map[*delivery]error {
			var numbers []int64
			for _, d := range batch {
				numbers = append(numbers, d.number)
			}
			s.mu.Lock()
			s.batch = append(s.batch, fmt.Sprint(time.Since(s.began), " ", numbers))
			s.mu.Unlock()
			return send(batch)
		},
	}
	return s
}

// numbered is a delivery of this number and weight.
func numbered(number int64, weight int) *delivery {
	d := &delivery{number: number}
	d.task.Del = make([]string, weight)
	return d
}

// A batch is sent when it is full, when the next delivery would make it too heavy, or after the
// wait.
func TestBatcherSends(t *testing.T) {
	for _, test := range []struct {
		name    string
		weights []int
		want    []string
	}{
		{"full", []int{2, 1, 1}, []string{"0s [1 2 3]"}},
		{"not full", []int{1, 1}, []string{"1s [1 2]"}},
		{"the next is too heavy", []int{3, 2}, []string{"0s [1]", "1s [2]"}},
		{"heavier than a batch", []int{1, 9, 1}, []string{"0s [1]", "0s [2]", "1s [3]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSending(4, 3, func([]*delivery) map[*delivery]error { return nil })
				var all sync.WaitGroup
				for i, weight := range test.weights {
					all.Go(func() { _ = s.add(t.Context(), numbered(int64(i+1), weight)) })
					synctest.Wait()
				}
				all.Wait()
				slices.Sort(s.batch)
				if !slices.Equal(s.batch, test.want) {
					t.Errorf("sent %q, want %q", s.batch, test.want)
				}
			})
		})
	}
}

// Whatever the order in which deliveries are added, a batch has them in the order of their
// receives.
func TestBatcherSorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSending(5, 1, func([]*delivery) map[*delivery]error { return nil })
		var all sync.WaitGroup
		for _, number := range []int64{4, 2, 5, 1, 3} {
			all.Go(func() { _ = s.add(t.Context(), numbered(number, 1)) })
		}
		all.Wait()
		if want := []string{"0s [1 2 3 4 5]"}; !slices.Equal(s.batch, want) {
			t.Errorf("sent %q, want %q", s.batch, want)
		}
	})
}

// Each delivery's add returns its own error, after its request and not before.
func TestBatcherErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		s := newSending(3, 1, func(batch []*delivery) map[*delivery]error {
			after(time.Minute)
			return map[*delivery]error{batch[1]: refused}
		})
		errs := make([]error, 3)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = s.add(t.Context(), numbered(int64(i), 1)) })
		}
		all.Wait()
		if errs[0] != nil || !errors.Is(errs[1], refused) || errs[2] != nil || time.Since(s.began) != time.Minute {
			t.Errorf("errors %v after %s", errs, time.Since(s.began))
		}
	})
}

// No more requests are made at a time than there may be; what comes meanwhile is sent afterwards,
// and nothing is lost.
func TestBatcherParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const parallel, n = 3, 1000
		var mu sync.Mutex
		now, most, sent := 0, 0, 0
		s := newSending(7, parallel, func(batch []*delivery) map[*delivery]error {
			mu.Lock()
			now++
			most, sent = max(most, now), sent+len(batch)
			mu.Unlock()
			after(40 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		})
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				after(time.Duration(i%97) * 10 * time.Millisecond)
				_ = s.add(t.Context(), numbered(int64(i), 1+i%3))
			})
		}
		all.Wait()
		if most != parallel || sent != n {
			t.Errorf("%d requests at a time, want %d; %d deliveries sent, want %d", most, parallel, sent, n)
		}
	})
}

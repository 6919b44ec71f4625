package worker

import (
	"time"

	"golang.org/x/sync/errgroup"
)

// stage is a step that takes deliveries in batches: of at most most (as weigh counts them), or what has come within wait
// of the first.
type stage struct {
	most     func() int
	wait     time.Duration
	weigh    func(*delivery) int
	parallel int // batches at a time
	do       func([]*delivery)
}

func one(*delivery) int { return 1 }

func always(n int) func() int { return func() int { return n } }

// run works on what comes until in is closed, and returns when the last batch is done.
func (s stage) run(in <-chan *delivery) {
	var under errgroup.Group
	under.SetLimit(s.parallel)
	s.gather(in, func(batch []*delivery) {
		under.Go(func() error { s.do(batch); return nil })
	})
	_ = under.Wait() // batches have no errors: each delivery has its own ending
}

func (s stage) gather(in <-chan *delivery, flush func([]*delivery)) {
	var batch []*delivery
	weight := 0
	timer := time.NewTimer(s.wait)
	timer.Stop()
	send := func() {
		timer.Stop()
		flush(batch)
		batch, weight = nil, 0
	}
	for {
		select {
		case <-timer.C:
			send()
		case d, open := <-in:
			if !open {
				if len(batch) > 0 {
					send()
				}
				return
			}
			most := s.most()
			w := s.weigh(d)
			if len(batch) > 0 && weight+w > most {
				send()
			}
			if len(batch) == 0 {
				timer.Reset(s.wait)
			}
			batch, weight = append(batch, d), weight+w
			if weight >= most {
				send()
			}
		}
	}
}

package worker

import (
	"slices"
	"time"
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

// run works on what comes until in is closed, and returns when the last batch is done. Its goroutines stay: the stack that a request needs is
// many times the one that a goroutine begins with, and growing it costs as much as a batch does otherwise.
func (s stage) run(in <-chan *delivery) {
	batches := make(chan []*delivery)
	under := start(slices.Repeat([]func(){func() {
		for batch := range batches {
			s.do(batch)
		}
	}}, s.parallel)...)
	s.gather(in, func(batch []*delivery) { batches <- batch })
	close(batches)
	under.Wait()
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

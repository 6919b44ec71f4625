package state

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/messages"
)

// Progress is the readable part of a run's ledger.json. Tasks = Done + Dead + Superseded + Open.
type Progress struct {
	Tasks      int                      `json:"tasks"`
	Done       int                      `json:"done"`
	Dead       int                      `json:"dead"`
	Superseded int                      `json:"superseded"`
	Open       int                      `json:"open"` // no result yet, or none since they were published again
	Outcomes   map[messages.Outcome]int `json:"outcomes"`
	// Samples are the newest MaxSamples moments at which the ledger grew, oldest first.
	Samples []Sample `json:"samples,omitempty"`
	// First and Last are when the first and the last result were received, by the trackers' clocks.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// Age is the ledger's age by the bucket's clock when it was read from the bucket. Else it is 0,
	// or negative for unknown.
	Age time.Duration `json:"-"`
}

// MaxSamples is the largest number of samples in a ledger.
const MaxSamples = 60

// Sample is the number of tasks accounted for at a time, in Unix seconds.
type Sample struct {
	Second    int64 `json:"t"`
	Accounted int   `json:"n"`
}

// Rate is the number of tasks accounted for a second, over the last minute of samples; 0 when
// unknown.
func (p Progress) Rate() float64 {
	if len(p.Samples) < 2 {
		return 0
	}
	last := p.Samples[len(p.Samples)-1]
	i := slices.IndexFunc(p.Samples, func(s Sample) bool { return s.Second >= last.Second-60 })
	first := p.Samples[i]
	if last.Second <= first.Second || last.Accounted < first.Accounted {
		return 0 // there is only one sample, or a redrive reopened tasks
	}
	return float64(last.Accounted-first.Accounted) / float64(last.Second-first.Second)
}

// Overall is the mean rate of the whole run.
func (p Progress) Overall() float64 {
	if d := p.Last.Sub(p.First).Seconds(); d > 0 {
		return float64(p.Tasks-p.Open) / d
	}
	return 0
}

// ReadProgress reads the readable part of a run's ledger. Without a ledger all tasks are open.
func (s *Store) ReadProgress(ctx context.Context, run string, tasks int) (Progress, error) {
	progress := Progress{Tasks: tasks, Open: tasks}
	name := RunName(run, LedgerName)
	c, err := s.Read(ctx, name)
	if errors.Is(err, bucket.ErrNotFound) {
		return progress, nil
	}
	if err != nil {
		return progress, err
	}
	var saved Progress
	if damaged := Unseal(c.Body, &saved); damaged == nil { // else the tracker makes it again
		progress = saved
	}
	progress.Age = c.Age
	return progress, nil
}

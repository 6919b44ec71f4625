package tracker

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// ledgerFile is ledger.json. Its numbers are for readers; the bitmaps are what it holds.
type ledgerFile struct {
	V          int    `json:"v"`
	Run        string `json:"run"`
	Generation int64  `json:"generation"`
	state.Progress
	Rounds  []roundFile  `json:"rounds"`
	Reports []reportFile `json:"reports"`
}

// Seqs is a roaring bitmap in its portable format; base64 in JSON.
type roundFile struct {
	Round uint32 `json:"round"`
	Count uint64 `json:"count"`
	Seqs  []byte `json:"seqs"`
}

type reportFile struct {
	Outcome messages.Outcome `json:"outcome"`
	Round   uint32           `json:"round"`
	Count   uint64           `json:"count"`
	Seqs    []byte           `json:"seqs"`
}

// MarshalJSON returns ledger.json. The same sets give the same bytes.
func (l *Ledger) MarshalJSON() ([]byte, error) {
	f := ledgerFile{V: 1, Run: l.Run, Generation: l.Generation, Progress: l.Progress(), Rounds: []roundFile{}, Reports: []reportFile{}}
	for round, seqs := range l.rounds {
		body, err := bitmapBytes(seqs)
		if err != nil {
			return nil, err
		}
		f.Rounds = append(f.Rounds, roundFile{Round: round, Count: seqs.GetCardinality(), Seqs: body})
	}
	for key, seqs := range l.reports {
		body, err := bitmapBytes(seqs)
		if err != nil {
			return nil, err
		}
		f.Reports = append(f.Reports, reportFile{Outcome: key.outcome, Round: key.round, Count: seqs.GetCardinality(), Seqs: body})
	}
	slices.SortFunc(f.Rounds, func(a, b roundFile) int { return cmp.Compare(a.Round, b.Round) })
	slices.SortFunc(f.Reports, func(a, b reportFile) int {
		return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Round, b.Round))
	})
	return json.Marshal(f)
}

func bitmapBytes(seqs *roaring.Bitmap) ([]byte, error) {
	seqs = seqs.Clone()
	seqs.RunOptimize()
	return seqs.ToBytes()
}

// UnmarshalJSON reads ledger.json. It refuses bitmaps that are broken or have tasks that the run
// does not have.
func (l *Ledger) UnmarshalJSON(body []byte) error {
	var f ledgerFile
	if err := json.Unmarshal(body, &f); err != nil {
		return err
	}
	if f.V != 1 || f.Tasks < 0 || f.Tasks > math.MaxInt32 || f.Run == "" {
		return fmt.Errorf("ledger of version %d, run %.60q, with %d tasks", f.V, f.Run, f.Tasks)
	}
	read := NewLedger(f.Run, f.Generation, f.Tasks)
	for _, r := range f.Rounds {
		seqs, err := read.bitmap(r.Seqs, r.Round)
		if err != nil {
			return fmt.Errorf("round %d: %w", r.Round, err)
		}
		read.Publish(r.Round, seqs)
	}
	for _, r := range f.Reports {
		if !slices.Contains(messages.Outcomes, r.Outcome) || r.Outcome.IsDone() && r.Round != 0 {
			return fmt.Errorf("unknown outcome %.20q in round %d", r.Outcome, r.Round)
		}
		seqs, err := read.bitmap(r.Seqs, r.Round)
		if err != nil {
			return fmt.Errorf("%s of round %d: %w", r.Outcome, r.Round, err)
		}
		set(read.reports, report{r.Outcome, r.Round}).Or(seqs)
	}
	read.addSamples(f.Samples)
	read.widen(f.First, f.Last)
	*l = *read
	return nil
}

func (l *Ledger) bitmap(body []byte, round uint32) (*roaring.Bitmap, error) {
	seqs := roaring.New()
	if round > maxRound {
		return nil, errors.New("no such round")
	}
	// ReadFrom checks the lengths, Validate what it has read; only then may anything else touch the
	// bitmap.
	r := bytes.NewReader(body)
	if _, err := seqs.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("read bitmap: %w", err)
	}
	if seqs.IsEmpty() {
		return roaring.New(), nil // Validate refuses an empty bitmap
	}
	if err := seqs.Validate(); err != nil {
		return nil, fmt.Errorf("read bitmap: %w", err)
	}
	if int64(seqs.Maximum()) >= int64(l.Tasks) {
		return nil, fmt.Errorf("seq %d of a run with %d tasks", seqs.Maximum(), l.Tasks)
	}
	return seqs, nil
}

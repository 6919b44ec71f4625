package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/messages"
)

// ReportName, PageName and TasksName are the objects that people open after the end of a run.
const (
	ReportName = "report.json"
	PageName   = "report.html"
	TasksName  = "tasks.csv"
)

// Report is report.json: how a run ended.
type Report struct {
	Status
	// Final means that the pointer has the same end of the run, and that the files beside the
	// report belong to it. A report that is not final is a proposal: its tracker has not changed
	// the pointer yet, or died before.
	Final bool `json:"final"`
	// Writer is random for each report. By it a tracker recognises its own report when the
	// response to the write was lost.
	Writer string `json:"writer,omitempty"`
	// Verified means that the destination was listed after the last task. Differences is valid only
	// then.
	Verified bool `json:"verified"`
	// DifferenceList names the first MaxDifferences of Differences.
	DifferenceList []Difference `json:"difference_list"`
	// Warnings are problems that do not make the run fail.
	Warnings  []string          `json:"warnings,omitempty"`
	Totals    Totals            `json:"totals"`
	Episodes  []EpisodePlan     `json:"episodes"`
	Orphans   []Orphan          `json:"orphans,omitempty"`
	Manifests []ManifestProblem `json:"problems,omitempty"`
	// Balance counts the planned episodes. After comes from the listing when Verified, else from
	// the plan.
	Balance        []Balance `json:"balance"`
	MissingClasses []string  `json:"missing_classes,omitempty"`
	// Version is the generation of the latest dataset version at the end of the run; 0: none.
	Version         int64    `json:"version,omitempty"`
	DurationSecs    float64  `json:"duration_seconds"`
	CostUSD         float64  `json:"cost_usd"` // as planned
	Leakage         float64  `json:"leakage"`
	LeakageGrouped  float64  `json:"leakage_grouped"`
	IdenticalImages int      `json:"identical_images"` // as in Plan
	Settings        Settings `json:"settings"`
}

// MaxDifferences is the largest number of differences that a report names.
const MaxDifferences = 1000

// Kinds of a Difference.
const (
	Missing    = "missing"    // the frame is nowhere
	Misplaced  = "misplaced"  // it is at Found instead
	Unexpected = "unexpected" // it is at Key, where nothing should
	Content    = "content"    // it is at Key with the ETag Found instead of Want
	Changed    = "changed"    // the episode, which the plan did not touch, is not as it was listed
)

// Difference is a difference between the expected frames and a listing. Keys are relative to
// <prefix>/ML/.
type Difference struct {
	Kind    string          `json:"kind"`
	Episode dataset.Episode `json:"episode"`
	Frame   dataset.Frame   `json:"frame,omitempty"`
	Key     string          `json:"key,omitempty"`
	Want    string          `json:"want,omitempty"`
	Found   string          `json:"found,omitempty"`
}

// String describes the difference in words.
func (d Difference) String() string {
	switch d.Kind {
	case Missing:
		return d.Key + " is missing"
	case Misplaced:
		return string(d.Frame) + " stands at " + d.Found + " instead of " + d.Key
	case Unexpected:
		return d.Key + " should not be there"
	case Content:
		return d.Key + " has other content (ETag " + d.Found + ", wanted " + d.Want + ")"
	}
	return string(d.Episode) + " is not as it was when it was planned"
}

// DeadTask is a line of dead.jsonl: one publication of a task that ended as dead.
type DeadTask struct {
	Task   messages.Task `json:"task"`
	Code   string        `json:"code,omitempty"` // S3's error code, or messages.Code…; empty when its worker died
	Reason string        `json:"reason"`
	// Attempts is the receive count, 0 when unknown.
	Attempts int    `json:"attempts,omitempty"`
	Worker   string `json:"worker,omitempty"`
	Round    uint32 `json:"round,omitempty"`
}

// DeadName is the object of a run's dead list, and LedgerName of its ledger.
const (
	DeadName   = "dead.jsonl"
	LedgerName = "ledger.json"
)

// ReadReport reads the report of a run; bucket.ErrNotFound when it has none, ErrDamaged when it is
// of another run.
func (s *Store) ReadReport(ctx context.Context, run string) (*Report, error) {
	var r Report
	_, err := s.ReadJSON(ctx, RunName(run, ReportName), &r)
	if err == nil && r.Run != run {
		err = fmt.Errorf("read %s%s: %w: it is of run %.100q", s.Layout.State(), RunName(run, ReportName), ErrDamaged, r.Run)
	}
	return &r, err
}

// EndFiles are conditions for conditional writes: each file about a run's end must still be in its
// present version.
type EndFiles map[string]bucket.Condition

// EndFiles reads the conditions of report.json, report.html and tasks.csv of a run.
func (s *Store) EndFiles(ctx context.Context, run string) (EndFiles, error) {
	absent := bucket.Condition{IfNoneMatch: true}
	files := EndFiles{ReportName: absent, PageName: absent, TasksName: absent}
	folder := s.Layout.State() + RunName(run, "")
	for page, err := range bucket.Pages(ctx, s.Bucket, bucket.ListInput{Prefix: folder, StartAfter: folder + "report"}) {
		if err != nil {
			return nil, err
		}
		for _, o := range page.Objects {
			name := o.Key[len(folder):]
			if _, ok := files[name]; ok {
				files[name] = bucket.Condition{IfMatch: o.ETag}
			}
		}
	}
	return files, nil
}

// WriteReport saves the report of a run, and returns its ETag.
func (s *Store) WriteReport(ctx context.Context, r *Report, cond bucket.Condition) (etag string, err error) {
	body, err := Seal(r)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", ReportName, err)
	}
	return s.WriteEndFile(ctx, r.Run, ReportName, body, cond)
}

// WriteEndText is WriteEndFile for a long text.
func (s *Store) WriteEndText(ctx context.Context, run, name string, body *Text, cond bucket.Condition) error {
	name = RunName(run, name)
	_, err := s.WriteFrom(ctx, name, body.Reader(), cond)
	if !errors.Is(err, bucket.ErrPrecondition) && !(errors.Is(err, bucket.ErrNotFound) && cond.IfMatch != "") {
		return err
	}
	// As in WriteEndFile. The text is compared block by block.
	if c, readErr := s.Read(ctx, name); readErr == nil && body.Equal(c.Body) {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrConflict, err)
}

// WriteEndFile saves a file about a run's end, and returns its ETag. ErrConflict means that another
// process has written a different one.
func (s *Store) WriteEndFile(ctx context.Context, run, name string, body []byte, cond bucket.Condition) (etag string, err error) {
	name = RunName(run, name)
	etag, err = s.Write(ctx, name, body, cond)
	if !errors.Is(err, bucket.ErrPrecondition) && !(errors.Is(err, bucket.ErrNotFound) && cond.IfMatch != "") {
		return etag, err
	}
	// A write that is sent again after a lost response is refused, because the first one succeeded.
	if c, readErr := s.Read(ctx, name); readErr == nil && bytes.Equal(c.Body, body) {
		return c.ETag, nil
	}
	return "", fmt.Errorf("%w: %w", ErrConflict, err)
}

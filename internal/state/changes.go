package state

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/messages"
)

// ChangeCause is why a plan changes a frame. Package planner has the table by which each is
// decided.
type ChangeCause string

// The causes of changes, in the order in which they are shown. Causes of deletions come first.
const (
	ChangeRowGone      ChangeCause = "row gone"
	ChangeUnlabelled   ChangeCause = "unlabelled"
	ChangeImageGone    ChangeCause = "image gone"
	ChangeOrphan       ChangeCause = "orphan"
	ChangeRelabelled   ChangeCause = "relabelled"
	ChangeSettings     ChangeCause = "settings"
	ChangeImageChanged ChangeCause = "image changed"
	ChangeStrayCopy    ChangeCause = "stray copy"
	ChangeNew          ChangeCause = "new"
	ChangeRestore      ChangeCause = "restore"
	// ChangeUnrecorded is the cause of all changes of runs that earlier releases planned.
	ChangeUnrecorded ChangeCause = ""
)

// ChangeCauses are all causes, in the order in which they are shown.
var ChangeCauses = []ChangeCause{
	ChangeRowGone, ChangeUnlabelled, ChangeImageGone, ChangeOrphan, ChangeRelabelled, ChangeSettings, ChangeImageChanged, ChangeStrayCopy,
	ChangeNew, ChangeRestore, ChangeUnrecorded,
}

// FrameChange is what a plan does to one frame, and why.
type FrameChange struct {
	Frame dataset.Frame
	Row   int // of the sheet; 0 without one
	Op    messages.Op
	Cause ChangeCause
	// From is where the frame is before the change, and To where it is afterwards; the zero Place
	// is nowhere.
	From, To dataset.Place
	Column   string // the column that decides the class
	Held     bool   // the change is not made, because its episode is held
}

// changeFields are a FrameChange in JSON, with the names of the CSV.
type changeFields struct {
	Frame       dataset.Frame `json:"frame"`
	Row         int           `json:"row,omitempty"`
	Op          messages.Op   `json:"op"`
	Cause       ChangeCause   `json:"cause"`
	FromDataset string        `json:"from_dataset,omitempty"`
	FromClass   string        `json:"from_class,omitempty"`
	ToDataset   string        `json:"to_dataset,omitempty"`
	ToClass     string        `json:"to_class,omitempty"`
	Column      string        `json:"column,omitempty"`
	Held        bool          `json:"held,omitempty"`
}

// MarshalJSON encodes an object whose members have the names of the CSV's columns.
func (c FrameChange) MarshalJSON() ([]byte, error) {
	return json.Marshal(changeFields{c.Frame, c.Row, c.Op, c.Cause, c.From.Dataset, c.From.Class, c.To.Dataset, c.To.Class, c.Column, c.Held})
}

// UnmarshalJSON decodes the output of MarshalJSON.
func (c *FrameChange) UnmarshalJSON(body []byte) error {
	var f changeFields
	err := json.Unmarshal(body, &f)
	*c = FrameChange{Frame: f.Frame, Row: f.Row, Op: f.Op, Cause: f.Cause, Column: f.Column, Held: f.Held,
		From: dataset.Place{Dataset: f.FromDataset, Class: f.FromClass}, To: dataset.Place{Dataset: f.ToDataset, Class: f.ToClass}}
	return err
}

// ChangeCount counts the changes of one cause in one episode.
type ChangeCount struct {
	Episode dataset.Episode `json:"episode"`
	Cause   ChangeCause     `json:"cause"`
	Held    bool            `json:"held,omitempty"`
	Count   int             `json:"count"`
	First   []FrameChange   `json:"first"` // at most FirstChanges
}

// FirstChanges is the largest number of changes that a ChangeCount names.
const FirstChanges = 3

// CountChanges counts the changes of one episode, in the order of ChangeCauses.
func CountChanges(e dataset.Episode, changes []FrameChange) []ChangeCount {
	var counts []ChangeCount
	for _, c := range changes {
		i := slices.IndexFunc(counts, func(n ChangeCount) bool { return n.Cause == c.Cause })
		if i < 0 {
			i = len(counts)
			counts = append(counts, ChangeCount{Episode: e, Cause: c.Cause, Held: c.Held})
		}
		if counts[i].Count++; len(counts[i].First) < FirstChanges {
			counts[i].First = append(counts[i].First, c)
		}
	}
	slices.SortStableFunc(counts, compareCounts)
	return counts
}

// compareCounts orders by episode, then by cause.
func compareCounts(a, b ChangeCount) int {
	return cmp.Or(cmp.Compare(a.Episode, b.Episode), cmp.Compare(slices.Index(ChangeCauses, a.Cause), slices.Index(ChangeCauses, b.Cause)))
}

// SortChangeCounts orders the counts of several episodes by episode, then by cause.
func SortChangeCounts(counts []ChangeCount) { slices.SortStableFunc(counts, compareCounts) }

// changesHeader is the header of a CSV of changes.
var changesHeader = []string{"episode", "frame", "row", "op", "cause", "from_dataset", "from_class", "to_dataset", "to_class", "column", "held"}

// ChangesWriter writes changes as CSV. It escapes cells that a spreadsheet would run as a formula.
type ChangesWriter struct{ csv *csv.Writer }

// NewChangesWriter writes the header and returns the writer.
func NewChangesWriter(w io.Writer) (*ChangesWriter, error) {
	c := &ChangesWriter{csv: csv.NewWriter(w)}
	return c, c.csv.Write(changesHeader)
}

// Write writes changes.
func (w *ChangesWriter) Write(changes []FrameChange) error {
	var cells [11]string
	for _, c := range changes {
		row := ""
		if c.Row > 0 {
			row = strconv.Itoa(c.Row)
		}
		cells = [...]string{string(c.Frame.Episode()), string(c.Frame), row, string(c.Op), string(c.Cause),
			c.From.Dataset, c.From.Class, c.To.Dataset, c.To.Class, c.Column, strconv.FormatBool(c.Held)}
		if err := w.csv.Write(DefuseAll(cells[:])); err != nil {
			return err
		}
	}
	return nil
}

// Flush writes buffered changes. It is called at the end of the CSV.
func (w *ChangesWriter) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// ChangesReader reads the output of a ChangesWriter.
type ChangesReader struct{ csv *csv.Reader }

// NewChangesReader reads the header.
func NewChangesReader(r io.Reader) (*ChangesReader, error) {
	c := &ChangesReader{csv: csv.NewReader(r)}
	header, err := c.csv.Read()
	if err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	if len(header) < len(changesHeader) || !slices.Equal(header[:len(changesHeader)], changesHeader) {
		return nil, fmt.Errorf("header is %.200q, expected %q", header, changesHeader)
	}
	return c, nil
}

// Next returns the next change, and io.EOF at the end.
func (r *ChangesReader) Next() (c FrameChange, err error) {
	cells, err := r.csv.Read()
	if err != nil {
		return c, err
	}
	for i := range cells {
		cells[i] = Armed(cells[i])
	}
	if c.Frame, err = dataset.ParseFrame(cells[1]); err != nil {
		return c, err
	}
	if cells[2] != "" {
		if c.Row, err = strconv.Atoi(cells[2]); err != nil {
			return c, err
		}
	}
	c.Op, c.Cause, c.Column, c.Held = messages.Op(cells[3]), ChangeCause(cells[4]), cells[9], cells[10] == "true"
	c.From = dataset.Place{Dataset: cells[5], Class: cells[6]}
	c.To = dataset.Place{Dataset: cells[7], Class: cells[8]}
	return c, nil
}

func changesName(run string, e dataset.Episode) string {
	return RunName(run, "changes/"+string(e)+".csv.zst")
}

// EncodeChanges encodes changes as compressed CSV.
func EncodeChanges(changes []FrameChange) ([]byte, error) {
	var text Text
	w, err := NewChangesWriter(&text)
	if err == nil {
		err = errors.Join(w.Write(changes), w.Flush())
	}
	return text.Packed(), err
}

// DecodeChanges decodes the output of EncodeChanges. The error for damaged input is ErrDamaged.
func DecodeChanges(body []byte) ([]FrameChange, error) {
	plain, err := Unpack(body)
	if err != nil {
		return nil, err
	}
	r, err := NewChangesReader(bytes.NewReader(plain))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	all := make([]FrameChange, 0, bytes.Count(plain, []byte{'\n'}))
	for {
		c, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		all = append(all, c)
	}
}

// WriteChanges saves the changes of one episode of a run.
func (s *Store) WriteChanges(ctx context.Context, run string, e dataset.Episode, changes []FrameChange) error {
	body, err := EncodeChanges(changes)
	if err == nil {
		_, err = s.Write(ctx, changesName(run, e), body, bucket.Condition{})
	}
	return err
}

// ReadChanges reads the changes of one episode of a run. It returns bucket.ErrNotFound when there
// are none, or when an earlier release planned the run.
func (s *Store) ReadChanges(ctx context.Context, run string, e dataset.Episode) ([]FrameChange, error) {
	c, err := s.Read(ctx, changesName(run, e))
	if err != nil {
		return nil, err
	}
	all, err := DecodeChanges(c.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s%s: %w", s.Layout.State(), changesName(run, e), err)
	}
	return all, nil
}

// ChangesRecorded reports whether the causes of the plan's changes are saved. Earlier releases did
// not save them.
func (p *Plan) ChangesRecorded() bool { return len(p.Changes) > 0 || p.Tasks == 0 }

// RunChanges reads all changes of a run, one episode at a time. For a run whose changes are not
// recorded it derives them from the tasks, one chunk at a time. Derived changes have no cause, no
// row and no column. Their To is unknown for a frame of which one copy is deleted.
func (s *Store) RunChanges(ctx context.Context, p *Plan) iter.Seq2[[]FrameChange, error] {
	if p.ChangesRecorded() {
		return s.recordedChanges(ctx, p)
	}
	return func(yield func([]FrameChange, error) bool) {
		for chunk := range Chunks(p.Tasks) {
			changes, err := s.unrecordedChanges(ctx, p.Run, chunk)
			if !yield(changes, err) || err != nil {
				return
			}
		}
	}
}

func (s *Store) recordedChanges(ctx context.Context, p *Plan) iter.Seq2[[]FrameChange, error] {
	var episodes []dataset.Episode
	for _, n := range p.Changes {
		if !slices.Contains(episodes, n.Episode) {
			episodes = append(episodes, n.Episode)
		}
	}
	return func(yield func([]FrameChange, error) bool) {
		for _, e := range episodes {
			changes, err := s.ReadChanges(ctx, p.Run, e)
			if !yield(changes, err) || err != nil {
				return
			}
		}
	}
}

// unrecordedChanges derives changes from the tasks of a chunk.
func (s *Store) unrecordedChanges(ctx context.Context, run string, chunk int) ([]FrameChange, error) {
	tasks, err := s.ReadTasks(ctx, run, chunk)
	if err != nil {
		return nil, err
	}
	changes := make([]FrameChange, len(tasks))
	for i, t := range tasks {
		if _, err := dataset.ParseFrame(string(t.Frame)); err != nil {
			return nil, fmt.Errorf("read %s%s: %w: %w", s.Layout.State(), tasksName(run, chunk), ErrDamaged, err)
		}
		c := &changes[i]
		c.Frame, c.Op = t.Frame, t.Op
		c.To, _, _ = s.Layout.Parse(t.Dst)
		if len(t.Del) > 0 {
			c.From, _, _ = s.Layout.Parse(t.Del[0])
		}
		if t.Op == messages.Refresh {
			c.From = c.To
		}
	}
	return changes, nil
}

package planner

import (
	"fmt"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// freeChanges is the number of deletions, and of refreshes, that every ceiling allows. In a small
// episode a few changes are already a large share.
const freeChanges = 20

// EpisodeInput is all that the plan of one episode depends on.
type EpisodeInput struct {
	Episode  dataset.Episode
	Sheet    rows.Sheet
	Images   map[dataset.Frame]string // source image → ETag
	Unusable map[dataset.Frame]string // the object found instead of a source image
	// Beside has the objects besides a source image. The plan does not use them.
	Beside   map[dataset.Frame]string
	Standing dataset.Standing
	Assign   *Assigner
	Layout   dataset.Layout
	// Same reports whether a copy has the content of the source, by their ETags.
	Same func(copyETag, srcETag string) bool
	// Untold counts the copies whose ETag differs from that of their source and whose source is not
	// recorded.
	Untold int
	// Ceiling bounds how many of the frames in the datasets the plan deletes, and RefreshCeiling
	// how many it refreshes. AllowDelete and AllowRefresh remove these limits.
	Ceiling, RefreshCeiling   rows.Limit
	AllowDelete, AllowRefresh bool
}

// EpisodeChanges is the plan of one episode. It is independent of the run: its tasks have no run
// and no seq.
type EpisodeChanges struct {
	Totals   state.Totals
	Problems []state.Problem
	Tasks    []messages.Task
	// Changes has one change for each task, with its cause. A held episode has the changes that the
	// plan would make.
	Changes []state.FrameChange
	// Expected has the copies that the datasets should have when all tasks are done.
	Expected []state.Expected
	// Held is the reason to leave the episode unchanged, and Cause is its kind. Then only Problems
	// and Changes are set besides.
	Held  string
	Cause state.Cause
}

// PlanEpisode compares what the sheet wants with the copies in the datasets. It is a pure function.
func PlanEpisode(in EpisodeInput) EpisodeChanges {
	p := newEpisodePlanner(in)
	p.out.Problems = convert(p.Sheet.Problems)
	return p.plan()
}

// plan plans each frame. It holds the episode if it would delete or refresh too many frames.
func (p *episodePlanner) plan() EpisodeChanges {
	removed, frames := 0, p.frames()
	p.out.Expected = make([]state.Expected, 0, len(frames))
	for _, f := range frames {
		if p.frame(f) {
			removed++
		}
	}
	p.noteRowless()
	stand := len(p.Standing)
	tooMany := func(n int, ceiling rows.Limit) bool { return n > freeChanges && ceiling.Exceeded(n, stand) }
	if !p.AllowDelete && tooMany(removed, p.Ceiling) {
		leftOut := ""
		if p.leftOut > 0 {
			leftOut = fmt.Sprintf(", %d of them since the settings leave them out (guard, subsample, pins)", p.leftOut)
		}
		return EpisodeChanges{Problems: p.out.Problems, Changes: hold(p.out.Changes), Cause: state.CauseDeletions, Held: fmt.Sprintf(
			"would delete %d of the %d frames in the datasets (%.1f%%)%s, more than the ceiling %s (--max-delete, SHUFFLE_MAX_DELETE) allows; %s",
			removed, stand, 100*float64(removed)/float64(stand), leftOut, p.Ceiling, p.allow("delete"))}
	}
	if n := p.out.Totals.Refresh; !p.AllowRefresh && tooMany(n, p.RefreshCeiling) {
		untold := "" // the sources of these copies are no longer recorded
		if p.Untold > 0 {
			untold = fmt.Sprintf("; of %d of them neither a dataset version nor a run says what was copied, as when versions and runs were deleted in a bucket with a KMS key: "+
				"then the images may be the same, and copying them once records it", p.Untold)
		}
		return EpisodeChanges{Problems: p.out.Problems, Changes: hold(p.out.Changes), Cause: state.CauseRefreshes, Held: fmt.Sprintf(
			"would copy %d of the %d frames in the datasets again (%.1f%%), since their images have changed, more than the ceiling %s (--max-refresh, SHUFFLE_MAX_REFRESH) allows%s; %s",
			n, stand, 100*float64(n)/float64(stand), p.RefreshCeiling, untold, p.allow("refresh"))}
	}
	return p.out
}

func (p *episodePlanner) noteRowless() {
	if p.rowless > 0 {
		p.problem(state.Problem{Kind: kindRowless, Problem: fmt.Sprintf(
			"frames without a row (%d) are left as they stand: rows without a usable frame name (%d) may be theirs", p.rowless, p.Sheet.Unread)})
	}
}

func (p *episodePlanner) problem(problem state.Problem) {
	p.out.Problems = append(p.out.Problems, problem)
}

// PruneEpisode deletes every frame of an episode from the datasets.
func PruneEpisode(in EpisodeInput) EpisodeChanges {
	p := newEpisodePlanner(in)
	p.cause = state.ChangeOrphan
	for _, f := range p.frames() {
		p.frame(f)
	}
	return p.out
}

type episodePlanner struct {
	EpisodeInput
	// wish returns the place where a frame should be.
	wish  func(dataset.Frame) Wish
	allow func(flag string) string // returns how to remove a ceiling
	cause state.ChangeCause        // the cause of all changes; "": each has its own
	rows  map[dataset.Frame]int    // the index of a frame's row in Sheet.Rows
	out   EpisodeChanges
	// leftOut counts the frames that have copies and a class, and that the settings leave out.
	leftOut int
	// rowless counts the frames without a row that are frozen.
	rowless int
}

// newEpisodePlanner returns a planner that plans from the sheet.
func newEpisodePlanner(in EpisodeInput) *episodePlanner {
	p := &episodePlanner{EpisodeInput: in}
	p.allow = func(flag string) string {
		return fmt.Sprintf("if that is right, plan with --allow-%s %s", flag, in.Episode)
	}
	p.wish = p.sheetWish
	return p
}

// frames returns the frames of the sheet, in its order. Then come the frames that have copies and
// no row, by name.
func (p *episodePlanner) frames() []dataset.Frame {
	p.rows = make(map[dataset.Frame]int, len(p.Sheet.Rows))
	all := make([]dataset.Frame, 0, len(p.Sheet.Rows))
	for i, r := range p.Sheet.Rows {
		p.rows[r.Frame] = i
		all = append(all, r.Frame)
	}
	var extra []dataset.Frame
	for f := range p.Standing {
		if _, ok := p.rows[f]; !ok {
			extra = append(extra, f)
		}
	}
	slices.Sort(extra)
	return append(all, extra...)
}

// row returns the row of the frame in the sheet. It returns false if the frame has no row.
func (p *episodePlanner) row(f dataset.Frame) (rows.Row, bool) {
	i, ok := p.rows[f]
	if !ok {
		return rows.Row{}, false
	}
	return p.Sheet.Rows[i], true
}

// sheetWish returns the place where the sheet, the images and the split want the frame.
func (p *episodePlanner) sheetWish(f dataset.Frame) Wish {
	row, listed := p.row(f)
	if !listed && p.Sheet.Unread > 0 {
		p.rowless++
		return Wish{Frozen: true}
	}
	if row.Frozen {
		return Wish{Frozen: true}
	}
	if row.Class == "" {
		return Wish{}
	}
	if what := p.Unusable[f]; what != "" {
		p.problem(state.Problem{Row: row.Row, Frame: string(f), Kind: kindUnusable, Problem: what + "; the frame is left as it stands"})
		return Wish{Frozen: true}
	}
	if what := p.Beside[f]; what != "" {
		p.problem(state.Problem{Row: row.Row, Frame: string(f), Kind: kindBeside, Problem: what, Warning: true})
	}
	etag, ok := p.Images[f]
	if !ok {
		p.problem(state.Problem{Row: row.Row, Frame: string(f), Kind: kindNoImage, Problem: kindNoImage})
		return Wish{}
	}
	name, ok := p.Assign.Dataset(f)
	if !ok {
		if len(p.Standing[f]) > 0 {
			p.leftOut++
		}
		return Wish{}
	}
	return Wish{Place: &dataset.Place{Dataset: name, Class: row.Class}, ETag: etag}
}

// frame plans one frame and reports whether it leaves all datasets.
func (p *episodePlanner) frame(f dataset.Frame) bool {
	w, stands := p.wish(f), p.Standing[f]
	c := Decide(w, stands, p.Same)
	p.count(c)
	if c.Op != "" {
		p.out.Tasks = append(p.out.Tasks, p.task(f, w, c))
		p.out.Changes = append(p.out.Changes, p.change(f, w, c, stands))
	}
	p.expect(f, w, c, stands)
	return c.Removes
}

func (p *episodePlanner) count(c Change) {
	t := &p.out.Totals
	switch {
	case c.Frozen:
		t.Frozen++
	case c.Keep:
		t.Keep++
	}
	switch c.Op {
	case messages.Copy:
		t.Copy++
	case messages.Move:
		t.Move++
	case messages.Refresh:
		t.Refresh++
	case messages.Delete:
		t.Delete++
	}
}

func (p *episodePlanner) task(f dataset.Frame, w Wish, c Change) messages.Task {
	t := messages.Task{V: messages.Version, Op: c.Op, Frame: f}
	if c.Op != messages.Delete {
		t.Src, t.SrcETag, t.Dst = p.Sheet.Base+f.File(), w.ETag, p.Layout.Key(*w.Place, f)
	}
	for _, place := range c.Del {
		t.Del = append(t.Del, p.Layout.Key(place, f))
	}
	return t
}

// expect adds the copies that the frame should have after the tasks.
func (p *episodePlanner) expect(f dataset.Frame, w Wish, c Change, stands []dataset.Copy) {
	switch {
	case c.Op != "" && c.Op != messages.Delete:
		p.out.Expected = append(p.out.Expected, p.expected(f, dataset.Copy{Place: *w.Place, ETag: w.ETag}, w.ETag, true))
	case c.Frozen:
		for _, copied := range stands {
			p.out.Expected = append(p.out.Expected, p.expected(f, copied, "", false))
		}
	case w.Place != nil:
		for _, copied := range stands {
			if copied.Place == *w.Place {
				p.out.Expected = append(p.out.Expected, p.expected(f, copied, w.ETag, false))
			}
		}
	}
}

func (p *episodePlanner) expected(f dataset.Frame, c dataset.Copy, srcETag string, copied bool) state.Expected {
	e := state.Expected{Place: c.Place, Frame: f, ETag: c.ETag, Copied: copied}
	if srcETag != c.ETag {
		e.SrcETag = srcETag
	}
	return e
}

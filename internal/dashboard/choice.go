package dashboard

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// taskFilter chooses the tasks of a run that a page shows.
type taskFilter struct {
	op      messages.Op       // "" is all
	cause   state.ChangeCause // "" is all
	episode dataset.Episode   // "" is all
	from    int               // seq of the first task that may be shown
	before  int               // seq of the first task after the page; 0: the page begins at from
	skipped int               // number of matching tasks before the page; -1 is unknown
}

func parseTaskFilter(r *http.Request) (c taskFilter, err error) {
	c.op = messages.Op(r.FormValue("op"))
	switch c.op {
	case "", messages.Copy, messages.Move, messages.Refresh, messages.Delete:
	default:
		return c, visitorErrorf(http.StatusBadRequest, "op=%.20q: expected copy, move, refresh or delete.", string(c.op))
	}
	if c.cause = state.ChangeCause(r.FormValue("cause")); !slices.Contains(state.ChangeCauses, c.cause) {
		return c, visitorErrorf(http.StatusBadRequest, "cause=%.20q: expected one of those in the table, such as relabelled.", string(c.cause))
	}
	if c.episode, err = parseEpisode(r); err != nil {
		return c, err
	}
	for name, seq := range map[string]*int{"from": &c.from, "before": &c.before} {
		if text := r.FormValue(name); text != "" {
			if *seq, err = strconv.Atoi(text); err != nil || *seq < 0 {
				return c, visitorErrorf(http.StatusBadRequest, "%s=%.20q: expected a task's number.", name, text)
			}
		}
	}
	if c.from > 0 || c.before > 0 {
		c.skipped = -1 // the link does not have it
		if text := r.FormValue("at"); text != "" {
			if c.skipped, err = strconv.Atoi(text); err != nil || c.skipped < 0 {
				return c, visitorErrorf(http.StatusBadRequest, "at=%.20q: expected the number of frames before the page.", text)
			}
		}
	}
	return c, nil
}

// query is the query of another page: one that begins at a seq, or ends before it.
func (c taskFilter) query(name string, seq, behind int) string {
	q := url.Values{}
	for name, value := range map[string]string{"op": string(c.op), "cause": string(c.cause), "episode": string(c.episode)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if seq > 0 {
		q.Set(name, strconv.Itoa(seq))
	}
	if seq > 0 && behind >= 0 {
		q.Set("at", strconv.Itoa(behind))
	}
	return "?" + q.Encode()
}

// readPage reads the changes of the chosen page.
func (c taskFilter) readPage(ctx context.Context, all changeReader, plan *state.Plan) (shown []change, p page.Pager, err error) {
	earlier, next := c.from > 0, -1
	if c.before > 0 {
		shown, err = all.readBefore(ctx, c, tilesPerPage+1)
		earlier, next = len(shown) > tilesPerPage, c.before
		shown = shown[max(0, len(shown)-tilesPerPage):]
	}
	if err == nil && len(shown) < tilesPerPage { // too few tasks before: show the first page
		if c.before > 0 {
			c.from = 0
		}
		shown, next, err = all.readAfter(ctx, c, tilesPerPage)
	}
	if !earlier {
		c.skipped = 0
	}
	return shown, c.pager(shown, earlier, next, plan), err
}

func (c taskFilter) pager(shown []change, earlier bool, next int, plan *state.Plan) page.Pager {
	of := ""
	if n := c.countMatching(plan); n >= 0 {
		of = figure.Number(n)
	}
	p := page.NewPager(c.skipped, len(shown), of)
	if earlier {
		p.First = c.query("", 0, -1)
	}
	if earlier && len(shown) > 0 {
		p.Previous = c.query("before", int(shown[0].Task.Seq), max(c.skipped-tilesPerPage, min(c.skipped, 0)))
	}
	if next >= 0 {
		behind := c.skipped
		if behind >= 0 {
			behind += len(shown)
		}
		p.Next = c.query("from", next, behind)
	}
	return p
}

// countMatching is the number of matching tasks; -1 when it is not known. A plan counts tasks by
// operation and by cause, but not by both.
func (c taskFilter) countMatching(plan *state.Plan) (n int) {
	switch {
	case c.cause != "" && c.op != "":
		return -1
	case c.cause != "":
		for _, counted := range plan.Changes {
			if c.matches(counted) {
				n += counted.Count
			}
		}
		return n
	}
	for _, e := range plan.Episodes {
		if c.episode == "" || e.Name() == c.episode {
			n += map[messages.Op]int{"": e.Totals.Tasks(), messages.Copy: e.Copy, messages.Move: e.Move, messages.Refresh: e.Refresh, messages.Delete: e.Delete}[c.op]
		}
	}
	return n
}

// matches reports whether the counted changes match and are not held.
func (c taskFilter) matches(n state.ChangeCount) bool {
	return !n.Held && (c.cause == "" || n.Cause == c.cause) && (c.episode == "" || n.Episode == c.episode)
}

// hasChanges reports whether an episode has changes of the cause.
func (c taskFilter) hasChanges(plan *state.Plan, e dataset.Episode) bool {
	return slices.ContainsFunc(plan.Changes, func(n state.ChangeCount) bool { return n.Episode == e && c.matches(n) })
}

// mayMatch reports whether a task between two seqs may match, judged by its episode. So only few
// chunks are read for a rare cause.
func (c taskFilter) mayMatch(plan *state.Plan, begin, end int) bool {
	if c.cause == "" {
		return begin < end
	}
	return slices.ContainsFunc(plan.Episodes, func(e state.EpisodePlan) bool {
		return e.State == state.EpisodePlanned && e.FirstSeq < end && e.FirstSeq+e.Totals.Tasks() > begin && c.hasChanges(plan, e.Name())
	})
}

// bounds returns the seqs that may match, from begin to before end.
func (c taskFilter) bounds(plan *state.Plan) (begin, end int) {
	if c.episode == "" {
		return c.from, plan.Tasks
	}
	for _, e := range plan.Episodes {
		if e.Name() == c.episode && e.State == state.EpisodePlanned {
			return max(c.from, e.FirstSeq), e.FirstSeq + e.Totals.Tasks()
		}
	}
	return 0, 0
}

// parseEpisode reads the episode from the query, "" for all.
func parseEpisode(r *http.Request) (dataset.Episode, error) {
	text := r.FormValue("episode")
	if text == "" {
		return "", nil
	}
	e, err := dataset.ParseEpisodeFlag(text)
	if err != nil {
		return "", visitorErrorf(http.StatusBadRequest, "episode=%.20q: expected the form S01E01.", text)
	}
	return e, nil
}

// newField makes a choice of the values, each once.
func newField(name, label, chosen string, values []string) page.Field {
	slices.Sort(values)
	f := page.Field{Name: name, Label: label}
	for _, v := range slices.Compact(values) {
		text := v
		if v == "" {
			text = map[string]string{"episode": "all", "class": "(no class)", "op": "all", "cause": "all", "kind": "all"}[name]
		}
		f.Options = append(f.Options, page.Option{Value: v, Text: text, Chosen: v == chosen})
	}
	return f
}

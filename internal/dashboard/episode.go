package dashboard

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
)

const (
	// laneColumns is the resolution of a lane: about two pixels a column on a wide screen.
	laneColumns = 540
	miniColumns = 120
)

// seasonPage is the page of a season's episodes.
func (d *dashboard) seasonPage(r *http.Request) (page.Page, error) {
	l, err := d.readSeasonView(r)
	if err != nil {
		return nil, err
	}
	p := &page.Episodes{Reading: l.progress(), Query: r.URL.RawQuery}
	for _, f := range l.scopeFields(r) {
		if f.Name == "season" {
			p.Fields = append(p.Fields, f)
		}
	}
	for _, t := range l.Tables {
		line := page.EpisodeLine{Episode: t.Episode, Sheet: t.Sheet, Held: t.Held, Frames: len(t.Frames), Unclassified: len(t.Find(inventory.Filter{Only: inventory.Unclassified}))}
		for _, f := range t.Frames {
			if f.InDataset() {
				line.InDatasets++
			}
			if f.Problem() {
				line.Problems++
			}
		}
		line.Classes = classLane(t, l.Settings.Classes, miniColumns)
		p.Rows = append(p.Rows, line)
	}
	return p, nil
}

// classLane draws the classes over time.
func classLane(t *inventory.Table, classes []string, columns int) page.Lane {
	names := append(slices.Clone(classes), "another class", "unclassified")
	colors := make([]int, len(names))
	for i := range colors {
		colors[i] = i % palette
	}
	colors[len(names)-1] = plain
	places := map[string]int{"": len(classes) + 1}
	for i, class := range classes {
		places[class] = i
	}
	return page.NewLane("Class", t.CountLane(columns, len(names), func(i int) int {
		if at, ok := places[t.ClassAt(i)]; ok {
			return at
		}
		return len(classes)
	}), names, colors)
}

// The colours of the lanes: those of classes begin at 0, those of datasets at firstDataset. plain
// is for frames without a value.
const (
	palette       = 8
	plain         = 8
	firstDataset  = 9
	datasetColors = 5
)

// datasetLane draws the datasets of the frames over time.
func datasetLane(title string, t *inventory.Table, names, of []string) page.Lane {
	colors := make([]int, len(names)+1)
	for i := range names {
		colors[i] = firstDataset + i%datasetColors
	}
	colors[len(names)] = plain
	all := append(slices.Clone(names), "in none")
	return page.NewLane(title, t.CountLane(laneColumns, len(all), func(i int) int {
		if at := slices.Index(names, of[i]); at >= 0 {
			return at
		}
		return len(names)
	}), all, colors)
}

// episodePage is the page of one episode.
func (d *dashboard) episodePage(r *http.Request) (page.Page, error) {
	e, err := dataset.ParseEpisodeFlag(r.PathValue("episode"))
	if err != nil {
		return nil, visitorErrorf(http.StatusNotFound, "There is no such episode: expected the form S01E01.")
	}
	x, err := d.readCatalog(r.Context())
	if err != nil {
		return nil, err
	}
	at, named := slices.BinarySearch(x.Episodes, e)
	if !named {
		return nil, visitorErrorf(http.StatusNotFound, "No run has planned %s, and no dataset version holds it.", e)
	}
	p := &page.Episode{Episode: e, Query: r.URL.RawQuery, Run: x.Problems[e]}
	if at > 0 {
		p.Previous = x.Episodes[at-1]
	}
	if at+1 < len(x.Episodes) {
		p.Next = x.Episodes[at+1]
	}
	ask, err := x.parseWhatIf(r)
	if err != nil {
		return nil, err
	}
	p.Fields = ask.fields()
	got := d.tables.get(r.Context(), x.Changed, e)
	p.Reading = got.progress()
	if len(got.Tables) == 0 {
		return p, nil
	}
	t := got.Tables[0]
	p.Known, p.Sheet, p.Frames = true, t.Sheet, len(t.Frames)
	p.Problems = len(t.Find(inventory.Filter{Only: inventory.OnlyProblem}))
	if len(t.Frames) == 0 {
		return p, nil
	}
	p.First, p.Last = int(t.Frames[0].Index), int(t.Frames[len(t.Frames)-1].Index)
	p.Lanes = []page.Lane{datasetLane("Dataset", t, x.Settings.Listed, t.CurrentDatasets())}
	if err := d.addWhatIf(r.Context(), p, x, ask, t); err != nil {
		return nil, err
	}
	p.Lanes = append(p.Lanes, classLane(t, x.Settings.Classes, laneColumns), decidingLane(t), problemLane(t))
	return p, nil
}

func decidingLane(t *inventory.Table) page.Lane {
	names := []string{page.ColumnLabels[0], page.ColumnLabels[1], page.ColumnLabels[2], "no column"}
	return page.NewLane("Decided by", t.CountLane(laneColumns, len(names), func(i int) int {
		if c, ok := t.Frames[i].Deciding(); ok {
			return int(c)
		}
		return len(names) - 1
	}), names, []int{0, 3, 5, plain})
}

func problemLane(t *inventory.Table) page.Lane {
	names := []string{"problem", "frozen", "none"}
	return page.NewLane("Problems", t.CountLane(laneColumns, len(names), func(i int) int {
		switch f := t.Frames[i]; {
		case f.Problem():
			return 0
		case f.Frozen():
			return 1
		}
		return 2
	}), names, []int{14, 15, plain})
}

// preview is what the script on an episode's page shows of a frame.
type preview struct {
	Frame  dataset.Frame `json:"frame"`
	Time   string        `json:"time"`
	Path   string        `json:"path"`
	Image  string        `json:"image,omitempty"`
	Labels []string      `json:"labels"`
}

// servePreview answers with the frame at an index of an episode, or the nearest one after it.
func (d *dashboard) servePreview(w http.ResponseWriter, r *http.Request) {
	e, err := dataset.ParseEpisodeFlag(r.PathValue("episode"))
	index, badIndex := strconv.Atoi(r.PathValue("index"))
	if err != nil || badIndex != nil {
		http.Error(w, "There is no such frame.", http.StatusNotFound)
		return
	}
	x, err := d.readCatalog(r.Context())
	if err != nil {
		http.Error(w, "The bucket could not be read.", http.StatusBadGateway)
		return
	}
	if _, named := slices.BinarySearch(x.Episodes, e); !named {
		http.Error(w, "There is no such episode.", http.StatusNotFound)
		return
	}
	got := d.tables.get(r.Context(), x.Changed, e)
	if len(got.Tables) == 0 || len(got.Tables[0].Frames) == 0 {
		http.Error(w, "The episode is being read.", http.StatusServiceUnavailable)
		return
	}
	t := got.Tables[0]
	i, _ := slices.BinarySearchFunc(t.Frames, index, func(f inventory.Frame, index int) int { return int(f.Index) - index })
	i = min(i, len(t.Frames)-1)
	tile := d.tile(t, i)
	g := preview{Frame: tile.Frame, Time: tile.Frame.Timecode(), Path: page.FramePath(tile.Frame), Image: string(tile.Image)}
	g.Labels = append(g.Labels, cmp.Or(tile.Class, "unclassified"), tile.Note)
	if c, ok := t.Frames[i].Deciding(); ok {
		g.Labels = append(g.Labels, "by "+page.ColumnLabels[c])
	}
	for _, p := range t.ProblemsOf(tile.Frame) {
		g.Labels = append(g.Labels, p.Problem)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(g) // to a visitor, who may have left
}

// errNotReady means that a value is still being computed.
var errNotReady = errors.New("drawing")

// waitBriefly calls get and waits for pageWait, then returns errNotReady. Meanwhile the read of get
// continues in its cache.
func waitBriefly[T any](ctx context.Context, get func(context.Context) (T, error)) (T, error) {
	short, cancel := context.WithTimeout(ctx, pageWait)
	defer cancel()
	v, err := get(short)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = errNotReady
	}
	return v, err
}

package dashboard

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/rows"
)

// tilesPerPage is the number of images on one page.
const tilesPerPage = 60

// Special values in an address: nothing means the empty text, and anyText means all.
const (
	nothing = "none"
	anyText = ""
)

// columnNames are the names of the columns in addresses.
var columnNames = map[string]inventory.Column{"unsupervised": inventory.Unsupervised, "supervised": inventory.Supervised, "jonny": inventory.Jonny}

// framesPage is the page of the frames that match the address, in time order.
func (d *dashboard) framesPage(r *http.Request) (page.Page, error) {
	l, err := d.readSeasonView(r)
	if err != nil {
		return nil, err
	}
	filter, err := filterOf(r)
	if err != nil {
		return nil, err
	}
	found := make([][]int, len(l.Tables))
	n := 0
	for i, t := range l.Tables {
		found[i] = t.Find(filter)
		n += len(found[i])
	}
	begin, end, pages, err := pageBounds(r, n, tilesPerPage)
	if err != nil && l.Missing() == 0 {
		return nil, err
	}
	p := &page.Frames{Reading: l.progress(), Count: n, Fields: l.fields(r), Pages: pages, Query: r.URL.RawQuery}
	for i, t := range l.Tables {
		for _, at := range found[i][min(begin, len(found[i])):min(end, len(found[i]))] {
			p.Tiles = append(p.Tiles, d.tile(t, at))
		}
		begin, end = max(begin-len(found[i]), 0), max(end-len(found[i]), 0)
	}
	return p, nil
}

// filterOf reads the filter from an address. "none" means the empty text.
func filterOf(r *http.Request) (f inventory.Filter, err error) {
	text := func(name string) *string {
		value := r.FormValue(name)
		if value == anyText {
			return nil
		}
		if value == nothing {
			value = ""
		}
		return &value
	}
	f.Class, f.Dataset, f.Folder = text("class"), text("dataset"), text("folder")
	for name, column := range columnNames {
		f.Cells[column] = text(name)
	}
	if name := r.FormValue("decides"); name != "" {
		column, ok := columnNames[name]
		if !ok {
			return f, visitorErrorf(http.StatusBadRequest, "decides=%.20q: expected unsupervised, supervised or jonny.", name)
		}
		f.Decides = &column
	}
	if f.Only = inventory.FrameState(r.FormValue("only")); !slices.Contains(inventory.FrameStates, f.Only) {
		return f, visitorErrorf(http.StatusBadRequest, "only=%.20q: expected one of %q.", string(f.Only), inventory.FrameStates[1:])
	}
	return f, nil
}

// fields are the form fields of the page, each with "all".
func (l seasonView) fields(r *http.Request) []page.Field {
	choice := func(name, label string, values ...string) page.Field {
		f := page.Field{Name: name, Label: label}
		chosen := r.FormValue(name)
		if name == "season" {
			chosen = l.Season
		}
		if name == "episode" {
			chosen = string(l.Episode)
		}
		if !slices.Contains(values, chosen) {
			values = append(values, chosen)
		}
		for _, v := range values {
			text := v
			switch v {
			case anyText:
				text = "all"
			case nothing:
				text = map[string]string{"class": "unclassified", "dataset": "in none", "folder": "(no class)", "unsupervised": "blank", "supervised": "blank", "jonny": "blank"}[name]
			}
			f.Options = append(f.Options, page.Option{Value: v, Text: text, Chosen: v == chosen})
		}
		return f
	}
	var episodes []string
	for _, e := range l.seasonEpisodes(l.Season) {
		episodes = append(episodes, string(e))
	}
	classes := inventory.ListClasses(l.Tables, l.Settings.Classes)
	with := func(values ...string) []string { return append([]string{anyText}, values...) }
	var all []page.Field
	if seasons := l.seasons(); len(seasons) > 1 {
		all = append(all, choice("season", "Season", seasons...))
	}
	onlys := make([]string, len(inventory.FrameStates))
	for i, o := range inventory.FrameStates {
		onlys[i] = string(o)
	}
	all = append(all, choice("episode", "Episode", with(episodes...)...), choice("class", "Class", with(append(slices.Clone(classes), nothing)...)...),
		choice("dataset", "Dataset", with(append(slices.Clone(l.Settings.Listed), nothing)...)...),
		choice("decides", "Decided by", with("unsupervised", "supervised", "jonny")...), choice("only", "Only", onlys...))
	for _, f := range [][2]string{{"folder", "Class folder"}, {"unsupervised", "Unsupervised"}, {"supervised", "Supervised"}, {"jonny", "Jonny’s"}} {
		if r.FormValue(f[0]) != "" { // only links from other pages set it
			all = append(all, choice(f[0], f[1], with(append(slices.Clone(classes), nothing)...)...))
		}
	}
	return all
}

var (
	timecode = regexp.MustCompile(`^(\d{1,2})[:-](\d{2})[:-](\d{2})[:-](\d{2})$`)
	inSheet  = regexp.MustCompile(`(?i)^(?:row\s*)?(\d{1,7})$`)
)

// redirectFound redirects from a search text to its page. The text is a frame's name, an episode,
// or a row or time of an episode.
func (d *dashboard) redirectFound(w http.ResponseWriter, r *http.Request) {
	text := strings.TrimSpace(r.FormValue("q"))
	target, err := d.findTarget(r, text)
	if err != nil {
		d.servePage(func(*http.Request) (page.Page, error) { return nil, err })(w, r)
		return
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

func (d *dashboard) findTarget(r *http.Request, text string) (target string, err error) {
	if i := strings.LastIndexByte(text, '/'); i >= 0 {
		text = text[i+1:] // a key
	}
	if f, err := rows.ParseFrame(text); err == nil {
		return page.FramePath(f), nil
	}
	first, rest, _ := strings.Cut(text, " ")
	e, err := dataset.ParseEpisodeFlag(first)
	rest = strings.TrimSpace(rest)
	if err != nil {
		return "", visitorErrorf(http.StatusNotFound, "%.80q is no frame, episode or row. Expected a frame's name such as TT_S01_E01_FRM-00-00-08-12, an episode such as S01E01, a row such as S01E01 14, or a time such as S01E01 00:00:08:12.", text)
	}
	if rest == "" {
		return page.EpisodePath(e), nil
	}
	if t := timecode.FindStringSubmatch(rest); t != nil {
		hours := strings.Repeat("0", max(2-len(t[1]), 0)) + t[1]
		f, err := dataset.ParseFrame("TT_" + e.Season() + "_" + e.Code() + "_FRM-" + strings.Join([]string{hours, t[2], t[3], t[4]}, "-"))
		if err == nil {
			return page.FramePath(f), nil
		}
	}
	if n := inSheet.FindStringSubmatch(rest); n != nil {
		row, _ := strconv.Atoi(n[1])
		return d.rowPath(r, e, row)
	}
	return "", visitorErrorf(http.StatusNotFound, "%.80q is no row or time of %s. Expected a row such as %s 14, or a time such as %s 00:00:08:12.", rest, e, e, e)
}

// rowPath is the path of the page of the frame in a row.
func (d *dashboard) rowPath(r *http.Request, e dataset.Episode, row int) (string, error) {
	x, err := d.readCatalog(r.Context())
	if err != nil {
		return "", err
	}
	got := d.tables.get(r.Context(), x.Changed, e)
	if len(got.Tables) == 0 {
		return "", visitorErrorf(http.StatusServiceUnavailable, "The sheet of %s is being read. Try again in a few seconds.", e)
	}
	t := got.Tables[0]
	i := slices.IndexFunc(t.Frames, func(f inventory.Frame) bool { return int(f.Row) == row })
	if i < 0 {
		for _, p := range t.Problems {
			if p.Row == row {
				return "", visitorErrorf(http.StatusNotFound, "Row %d of %s has no usable frame name: %s.", row, e, p.Problem)
			}
		}
		return "", visitorErrorf(http.StatusNotFound, "Row %d of %s has no frame, or repeats the frame of an earlier row.", row, e)
	}
	return page.FramePath(t.Name(i)), nil
}

package page

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// functions are the functions of the templates.
var functions = template.FuncMap{
	"number": figure.Number, "count": figure.Count, "isAre": figure.IsAre, "percent": figure.Percent,
	"duration": figure.Duration, "dollars": figure.Dollars, "rate": figure.Rate, "moment": figure.Moment, "when": newMoment,
	"badge": badgeOf, "meaning": advice.Meaning, "row": rowURL, "image": ImagePath, "frame": FramePath, "episode": EpisodePath, "class": className,
	"command": func(s Site, text string) string { return cmp.Or(s.Command, "shuffle") + " " + text },
	"copy":    func(s Site, id, text string) command { return command{id, cmp.Or(s.Command, "shuffle") + " " + text} },
	"asset":   func(name string) string { return "/assets/" + Version + "/" + name },
	"other":   otherFrame,
	"contact": func(p dataset.Place) string { return ContactPath(p.Dataset, p.Class) },
	"plus":    func(a, b int) int { return a + b },
	"minus":   func(a, b int) int { return a - b },
	"deads":   func(v view, run string, tasks []state.DeadTask) deadList { return deadList{v, run, tasks} },
	"problems": func(e dataset.Episode, sheet string, all []state.Problem) problemTable {
		return problemTable{e, sheet, all}
	},
	"balance": func(file bool, b Balance) balanceTable { return balanceTable{b, file} },
	"tiles":   func(file bool, all []Tile) tiles { return tiles{file, all} },
	"choose":  func(path string, fields []Field) chooser { return chooser{path, fields} },
	"pages":   func(name string, p Pager) pager { return pager{p, name} },
	"policy":  func() string { return filePolicy },
	"style":   func() template.CSS { return template.CSS(Style) }, //nolint:gosec // It is embedded.
	"script":  func() template.JS { return template.JS(Script) },  //nolint:gosec // It is embedded.
}

// The values for the parts in templates/common.
type (
	deadList struct {
		view
		Run   string
		Tasks []state.DeadTask
	}
	problemTable struct {
		Episode  dataset.Episode
		Sheet    string // URL
		Problems []state.Problem
	}
	balanceTable struct {
		Balance
		File bool
	}
	tiles struct {
		File  bool
		Tiles []Tile
	}
	chooser struct {
		Path   string
		Fields []Field
	}
	pager struct {
		Pager
		Name string // of the element
	}
)

// command is a command to type. ID is the ID of its element, which the copy button needs.
type command struct{ ID, Text string }

// badge shows a state as a word and an icon. The colour gives no further information.
type badge struct {
	Text string
	Icon string // ok, bad, live, wait or past: see icon in common/parts.html
}

func badgeOf(s state.State) badge {
	icon := "past" // cancelled, superseded
	switch {
	case s == state.Succeeded:
		icon = "ok"
	case s == state.Failed:
		icon = "bad"
	case s == state.Review:
		icon = "wait"
	case s.Active():
		icon = "live"
	}
	return badge{string(s), icon}
}

// rowURL is the address of the row in the sheet, or of the sheet for row 0. It is empty for a sheet
// that is not Google's.
func rowURL(sheet string, row int) string {
	if !strings.HasPrefix(sheet, "https://docs.google.com/spreadsheets/d/") {
		return ""
	}
	if row < 1 {
		return sheet
	}
	mark := "#"
	if strings.Contains(sheet, "#") {
		mark = "&"
	}
	return fmt.Sprintf("%s%srange=A%d", sheet, mark, row)
}

// ImagePath is the address of an image by its key.
func ImagePath(key string) string {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "/images/" + strings.Join(parts, "/")
}

// otherFrame is the problem's frame, unless its text names it.
func otherFrame(p state.Problem) string {
	if strings.Contains(p.Problem, `"`+p.Frame+`"`) {
		return ""
	}
	return p.Frame
}

// className is the class, or a text for frames that are in no class folder.
func className(class string) string { return cmp.Or(class, "(no class)") }

// moment is a time as a page shows it.
type moment struct{ ISO, Text, Ago string }

// now is the clock of the pages.
var now = time.Now

// newMoment is a time in UTC and how long ago it was. A file has no "ago", since it does not
// change.
func newMoment(file bool, t time.Time) moment {
	m := moment{ISO: t.UTC().Format(time.RFC3339), Text: t.UTC().Format("2 Jan 2006, 15:04:05 UTC")}
	if since := now().Sub(t); !file && since >= 0 {
		m.Ago = ago(since)
	}
	return m
}

// ago is a duration in its largest unit, such as "5 min ago". The page's script updates the text.
func ago(since time.Duration) string {
	s := int(since.Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d s ago", s)
	case s < 60*60:
		return fmt.Sprintf("%d min ago", s/60)
	case s < 48*60*60:
		return fmt.Sprintf("%d h ago", s/60/60)
	}
	return figure.Number(s/24/60/60) + " days ago"
}

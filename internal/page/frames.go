package page

import (
	"net/url"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// ReadProgress is how many of the sheets and listings of a page have been read.
type ReadProgress struct {
	Read, Of int       // episodes
	Oldest   time.Time // time of the oldest reading; zero when there is none yet
	Pending  bool      // the page will update itself when more has been read
	Held     []HeldEpisode
	Failed   string // why an episode could not be read; "" when none failed
}

// HeldEpisode is an episode that the next plan would hold.
type HeldEpisode struct {
	Episode dataset.Episode
	Reason  string
}

// Frames is the page of the frames that match the chosen fields.
type Frames struct {
	Reading ReadProgress
	Count   int
	Fields  []Field
	Tiles   []Tile
	Pages   Pager
	Query   string // of the page's address
}

func (p *Frames) template() string { return "frames" }

// Title is that of the document.
func (p *Frames) Title() string { return "Frames" }

// Events is the address of the page's events while episodes are being read.
func (p *Frames) Events() string { return eventsPath(p.Reading, "/frames/events", p.Query) }

// eventsPath is the address of the page's events while episodes are being read, else "".
func eventsPath(r ReadProgress, path, query string) string {
	if !r.Pending {
		return ""
	}
	if query != "" {
		path += "?" + query
	}
	return path
}

// FramePath is the address of a frame's page.
func FramePath(f dataset.Frame) string { return "/frames/" + url.PathEscape(string(f)) }

// EpisodePath is the address of an episode's page.
func EpisodePath(e dataset.Episode) string { return "/episodes/" + url.PathEscape(string(e)) }

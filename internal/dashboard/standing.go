package dashboard

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// standing is one page of what stands in a place. S3 lists by key and forwards only, so a page is told by the frame that it follows, or
// that it ends before; how many frames stand before it is known by the way to it, and only handed on.
type standing struct {
	place         dataset.Place
	episode       dataset.Episode // "" is all
	after, before dataset.Frame   // one of them at most
	behind        int             // frames before the page; -1 is unknown
}

func readStanding(r *http.Request, place dataset.Place, e dataset.Episode) (s standing, err error) {
	s = standing{place: place, episode: e}
	for name, f := range map[string]*dataset.Frame{"after": &s.after, "before": &s.before} {
		if text := r.FormValue(name); text != "" {
			if *f, err = dataset.ParseFrame(text); err != nil {
				return s, refused(http.StatusBadRequest, "%s=%.40q: expected a frame's name.", name, text)
			}
		}
	}
	if s.after != "" && s.before != "" {
		return s, refused(http.StatusBadRequest, "after and before: expected one of them.")
	}
	if s.after != "" || s.before != "" {
		s.behind, err = behindOf(r)
	}
	return s, err
}

// behindOf is the number of frames before the page, as the link to it said; -1 when it did not.
func behindOf(r *http.Request) (int, error) {
	text := r.FormValue("at")
	if text == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, refused(http.StatusBadRequest, "at=%.20q: expected the number of frames before the page.", text)
	}
	return n, nil
}

// query is that of another page of the same place.
func (s standing) query(name string, f dataset.Frame, behind int) string {
	q := url.Values{"dataset": {s.place.Dataset}, "class": {s.place.Class}}
	if s.episode != "" {
		q.Set("episode", string(s.episode))
	}
	if f != "" {
		q.Set(name, string(f))
	}
	if f != "" && behind >= 0 {
		q.Set("at", strconv.Itoa(behind))
	}
	return "?" + q.Encode()
}

// stand fills in one page of what stands in a place now. The version, which may be nil, says what its listing counted there.
func (d *dashboard) stand(ctx context.Context, p *page.Contact, s standing, v *state.Version) error {
	tiles, next := []page.Tile(nil), false
	earlier, err := s.after != "", error(nil)
	if s.before != "" {
		tiles, err = d.tilesBefore(ctx, s, v)
		earlier, next = len(tiles) > tilesPerPage, true
		tiles = tiles[max(0, len(tiles)-tilesPerPage):]
	}
	if err == nil && len(tiles) < tilesPerPage { // no page before, or too little for one: then it is the first
		if s.before != "" {
			s.after, s.before = "", ""
		}
		tiles, next, err = d.tilesAfter(ctx, s)
	}
	if err != nil {
		return err
	}
	if !earlier {
		s.behind = 0
	}
	p.Tiles, p.Pages = tiles, s.pager(tiles, earlier, next, v)
	return nil
}

func (s standing) pager(tiles []page.Tile, earlier, next bool, v *state.Version) page.Pager {
	of := ""
	if v != nil && s.episode == "" {
		of = figure.Number(v.Counts[s.place.Dataset][s.place.Class]) + " in version " + strconv.FormatInt(v.Generation, 10)
	}
	p := page.NewPager(s.behind, len(tiles), of)
	if earlier {
		p.First = s.query("", "", -1)
	}
	if earlier && len(tiles) > 0 {
		p.Previous = s.query("before", tiles[0].Frame, max(s.behind-tilesPerPage, min(s.behind, 0)))
	}
	if next && len(tiles) > 0 {
		behind := s.behind
		if behind >= 0 {
			behind += len(tiles)
		}
		p.Next = s.query("after", tiles[len(tiles)-1].Frame, behind)
	}
	return p
}

// listOf asks for the frames of the place from a key in its folder on.
func (d *dashboard) listOf(s standing, start string, most int) bucket.ListInput {
	folder, prefix := d.Store.Layout.Folder(s.place), "TT_"
	if s.episode != "" {
		prefix = s.episode.FramePrefix()
	}
	in := bucket.ListInput{Prefix: folder + prefix, Delimiter: "/", MaxKeys: most}
	if start != "" {
		in.StartAfter = folder + start
	}
	return in
}

func (d *dashboard) tilesOn(p bucket.Page, place dataset.Place) (tiles []page.Tile) {
	for _, o := range p.Objects {
		if at, f, ok := d.Store.Layout.Parse(o.Key); ok && at == place {
			tiles = append(tiles, page.Tile{Frame: f, Image: imageURL(d.Store.Layout, o.Key), Class: place.Class})
		}
	}
	return tiles
}

func (d *dashboard) tilesAfter(ctx context.Context, s standing) (tiles []page.Tile, more bool, err error) {
	start := ""
	if s.after != "" {
		start = s.after.File()
	}
	found, err := d.Bucket.ListObjects(ctx, d.listOf(s, start, tilesPerPage))
	return d.tilesOn(found, s.place), found.Next != "", err
}

// tilesBefore are the last frames before one, one more than fit on a page where there are so many. It looks from ever farther
// back.
func (d *dashboard) tilesBefore(ctx context.Context, s standing, v *state.Version) (tiles []page.Tile, err error) {
	for _, start := range startsBefore(s.before, v) {
		tiles = nil
		for found, err := range bucket.Pages(ctx, d.Bucket, d.listOf(s, start, 0)) {
			if err != nil {
				return nil, err
			}
			tiles = append(tiles, d.tilesOn(found, s.place)...)
			end := slices.IndexFunc(tiles, func(t page.Tile) bool { return t.Frame >= s.before })
			if end >= 0 {
				tiles = tiles[:end]
			}
			tiles = tiles[max(0, len(tiles)-tilesPerPage-1):]
			if end >= 0 {
				break
			}
		}
		if len(tiles) > tilesPerPage {
			break
		}
	}
	return tiles, nil
}

// startsBefore are where a listing may begin that is to find what stands right before a frame, the nearest first: within its episode,
// at the beginning of an earlier one, and at last at the very beginning.
func startsBefore(f dataset.Frame, v *state.Version) (starts []string) {
	for back := 1000; back < f.Index(); back *= 8 {
		starts = append(starts, string(dataset.FrameAt(f.Episode(), f.Index()-back)))
	}
	starts = append(starts, f.Episode().FramePrefix())
	var earlier []string
	if v != nil {
		for e := range v.Digests {
			if e < f.Episode() {
				earlier = append(earlier, e.FramePrefix())
			}
		}
	}
	slices.Sort(earlier)
	slices.Reverse(earlier)
	return append(append(starts, earlier...), "")
}

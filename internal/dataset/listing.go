package dataset

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Copy is one image of a frame in the destination.
type Copy struct {
	Place Place
	ETag  string
}

// Standing has the copies of an episode's frames in the destination. A frame in two places has two
// copies.
type Standing map[Frame][]Copy

// Destination lists the datasets. Every listing is complete or fails. A partial listing never
// counts as complete.
type Destination struct {
	Bucket   bucket.Lister
	Layout   Layout
	Datasets []string // the folders below ML/ that are the destination
	Parallel int      // listings at once
	Strays   *Strays  // collects other objects that the listings return; nil ignores them
}

// Folder is a place that exists, with the episodes that have frames in it.
type Folder struct {
	Place    Place
	Episodes []Episode
}

// frameDelimiter groups a place's keys by episode. All frames of an episode share a prefix such as
// TT_S01_E01_FRM-.
const frameDelimiter = "_FRM-"

// Folders finds every class folder of the datasets, also old and misspelt ones, and the episodes in
// each. It makes about one LIST a dataset and one a class folder, independent of the number of
// frames.
func (d Destination) Folders(ctx context.Context) ([]Folder, error) {
	places, err := d.Places(ctx)
	if err != nil {
		return nil, err
	}
	folders := make([]Folder, len(places))
	g, ctx := d.group(ctx)
	for i, p := range places {
		g.Go(func() error {
			episodes, err := d.episodes(ctx, p)
			folders[i] = Folder{Place: p, Episodes: episodes}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(folders, func(f Folder) bool { return len(f.Episodes) == 0 }), nil
}

func (d Destination) group(ctx context.Context) (*errgroup.Group, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(d.Parallel, 1))
	return g, ctx
}

// Places returns the datasets' own folders and the class folders in them.
func (d Destination) Places(ctx context.Context) ([]Place, error) {
	places := make([][]Place, len(d.Datasets))
	g, ctx := d.group(ctx)
	for i, name := range d.Datasets {
		g.Go(func() (err error) {
			places[i], err = d.places(ctx, name)
			return err
		})
	}
	err := g.Wait()
	return slices.Concat(places...), err
}

func (d Destination) places(ctx context.Context, name string) ([]Place, error) {
	places := []Place{{Dataset: name}}
	prefix := d.Layout.Folder(places[0])
	for page, err := range bucket.Pages(ctx, d.Bucket, bucket.ListInput{Prefix: prefix, Delimiter: "/", KeysOnly: true}) {
		if err != nil {
			return nil, err
		}
		for _, p := range page.Prefixes {
			if class := strings.TrimSuffix(p[len(prefix):], "/"); CheckKey(class) == nil {
				places = append(places, Place{Dataset: name, Class: class})
			} else {
				d.Strays.addFolder(p)
			}
		}
		d.strays(page, prefix)
	}
	return places, nil
}

// strays collects the entries of a page that are not frames. The folder itself may be an object,
// when someone created it with a console.
func (d Destination) strays(page bucket.Page, folder string) {
	for _, o := range page.Objects {
		if _, _, ok := d.Layout.Parse(o.Key); !ok && o.Key != folder {
			d.Strays.add(o.Key)
		}
	}
	d.skipped(page)
}

// skipped collects entries that are neither files nor folders. It ignores empty folders.
func (d Destination) skipped(page bucket.Page) {
	for _, s := range page.Skipped {
		if s.Kind != bucket.KindFolder {
			d.Strays.add(s.Key + " (" + s.Kind + ")")
		}
	}
}

// episodes returns the episodes with frames in the place. The listing of a class folder returns its
// whole content, grouped by episode. The listing of a dataset's own folder skips the class folders.
func (d Destination) episodes(ctx context.Context, p Place) ([]Episode, error) {
	var episodes []Episode
	folder := d.Layout.Folder(p)
	in := bucket.ListInput{Prefix: folder, Delimiter: frameDelimiter, KeysOnly: true}
	if p.Class == "" {
		in.Prefix += "TT_"
	}
	for page, err := range bucket.Pages(ctx, d.Bucket, in) {
		if err != nil {
			return nil, err
		}
		for _, rolled := range page.Prefixes {
			if e, ok := episodeOf(strings.TrimPrefix(rolled, folder)); ok {
				episodes = append(episodes, e)
			} else if p.Class != "" {
				d.Strays.addFolder(rolled)
			}
		}
		d.strays(page, folder)
	}
	return episodes, nil
}

// episodeOf parses TT_S01_E01_FRM-, in this exact spelling.
func episodeOf(rolled string) (Episode, bool) {
	name, _ := strings.CutPrefix(strings.TrimSuffix(rolled, frameDelimiter), "TT_")
	season, episode, _ := strings.Cut(name, "_")
	e, err := ParseEpisode(season, episode)
	return e, err == nil && e.FramePrefix()+"FRM-" == rolled
}

// Episode lists the frames of one episode in the destination. It lists the folders that have any in
// parallel.
func (d Destination) Episode(ctx context.Context, folders []Folder, e Episode) (Standing, error) {
	standing := Standing{}
	var mu sync.Mutex
	g, ctx := d.group(ctx)
	for _, folder := range folders {
		if !slices.Contains(folder.Episodes, e) {
			continue
		}
		g.Go(func() error {
			prefix := d.Layout.Folder(folder.Place) + e.FramePrefix()
			return d.walk(ctx, prefix, func(p Place, f Frame, etag string) {
				// A class folder may have a frame's name, and has its own listing.
				if p != folder.Place {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				standing[f] = append(standing[f], Copy{Place: p, ETag: etag})
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, copies := range standing {
		if len(copies) > 1 {
			slices.SortFunc(copies, func(a, b Copy) int { return strings.Compare(a.Place.String(), b.Place.String()) })
		}
	}
	return standing, nil
}

// walk calls a function for each frame of an episode in a folder, one at a time.
func (d Destination) walk(ctx context.Context, prefix string, found func(Place, Frame, string)) error {
	return listFrames(ctx, d.Bucket, prefix, func(page bucket.Page) {
		others := false
		for _, o := range page.Objects {
			if p, f, ok := d.Layout.Parse(o.Key); ok {
				found(p, f, o.ETag)
			} else {
				others = true
			}
		}
		if others || len(page.Skipped) > 0 {
			d.strays(page, "")
		}
	})
}

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

// Standing is where the frames of an episode stand in the destination. A frame in two places has two copies.
type Standing map[Frame][]Copy

// Destination lists the datasets. Every listing runs to its end or fails: a part is never taken as the whole.
type Destination struct {
	Bucket   bucket.Lister
	Layout   Layout
	Datasets []string // the folders below ML/ that are the destination
	Parallel int      // listings at once
	Strays   *Strays  // takes in what the listings see of other objects; nil: they are left out
}

// Folder is a place that exists, with the episodes that have frames in it.
type Folder struct {
	Place    Place
	Episodes []Episode
}

// frameDelimiter rolls a place's keys up by episode: TT_S01_E01_FRM- is what all frames of one share.
const frameDelimiter = "_FRM-"

// Folders finds every class folder of the datasets, an old or misspelt one too, and the episodes in each: about
// one LIST a dataset and one a class folder, however many frames there are.
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

// Places are the datasets' own folders and the class folders in them.
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

// strays takes in what is no frame of a page below a folder. The folder itself is an object where
// somebody made it with a console.
func (d Destination) strays(page bucket.Page, folder string) {
	for _, o := range page.Objects {
		if _, _, ok := d.Layout.Parse(o.Key); !ok && o.Key != folder {
			d.Strays.add(o.Key)
		}
	}
	d.skipped(page)
}

// skipped takes in what a folder has besides files. Folders that are empty mean nothing.
func (d Destination) skipped(page bucket.Page) {
	for _, s := range page.Skipped {
		if s.Kind != bucket.KindFolder {
			d.Strays.add(s.Key + " (" + s.Kind + ")")
		}
	}
}

// episodes are the ones with frames in the place. The listing of a class folder sees all that is in
// it, rolled up by episode; that of a dataset's own folder leaves out the class folders.
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

// episodeOf reads TT_S01_E01_FRM-, to the letter.
func episodeOf(rolled string) (Episode, bool) {
	name, _ := strings.CutPrefix(strings.TrimSuffix(rolled, frameDelimiter), "TT_")
	season, episode, _ := strings.Cut(name, "_")
	e, err := ParseEpisode(season, episode)
	return e, err == nil && e.FramePrefix()+"FRM-" == rolled
}

// Episode lists where the frames of one episode stand, one listing a folder that has any, at once.
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
				if p != folder.Place { // a class folder can itself be named like a frame, and is listed by itself
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
		sortCopies(copies)
	}
	return standing, nil
}

func sortCopies(copies []Copy) {
	if len(copies) > 1 {
		slices.SortFunc(copies, func(a, b Copy) int { return strings.Compare(a.Place.String(), b.Place.String()) })
	}
}

// walk hands out the frames below the prefix of an episode in a folder, one at a time.
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

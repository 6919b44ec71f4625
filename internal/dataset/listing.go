package dataset

import (
	"context"
	"errors"
	"fmt"
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
	for page, err := range bucket.Pages(ctx, d.Bucket, bucket.ListInput{Prefix: prefix, Delimiter: "/"}) {
		if err != nil {
			return nil, err
		}
		for _, p := range page.Prefixes {
			if class := strings.TrimSuffix(p[len(prefix):], "/"); CheckKey(class) == nil {
				places = append(places, Place{Dataset: name, Class: class})
			}
		}
	}
	return places, nil
}

// episodes are the ones with frames in the place.
func (d Destination) episodes(ctx context.Context, p Place) ([]Episode, error) {
	var episodes []Episode
	prefix := d.Layout.Folder(p) + "TT_"
	for page, err := range bucket.Pages(ctx, d.Bucket, bucket.ListInput{Prefix: prefix, Delimiter: frameDelimiter}) {
		if err != nil {
			return nil, err
		}
		for _, rolled := range page.Prefixes {
			name := strings.TrimSuffix(rolled[len(prefix):], frameDelimiter)
			season, episode, _ := strings.Cut(name, "_")
			if e, err := ParseEpisode(season, episode); err == nil && e.FramePrefix() == "TT_"+name+"_" {
				episodes = append(episodes, e)
			}
		}
	}
	return episodes, nil
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

// walk hands out the frames below the prefix, one at a time; other objects are none of this program's.
func (d Destination) walk(ctx context.Context, prefix string, found func(Place, Frame, string)) error {
	return listFrames(ctx, d.Bucket, prefix, func(o bucket.Object) {
		if p, f, ok := d.Layout.Parse(o.Key); ok {
			found(p, f, o.ETag)
		}
	})
}

// ErrNoImages says that a listing of an episode's images came back empty: taken as a broken listing, never as
// an episode without images.
var ErrNoImages = errors.New("no images found")

// Source lists the images of an episode below the prefix of its sheet: frame → ETag.
func Source(ctx context.Context, b bucket.Lister, prefix string, e Episode) (map[Frame]string, error) {
	images := map[Frame]string{}
	err := listFrames(ctx, b, prefix+e.FramePrefix(), func(o bucket.Object) {
		if f, ok := frameOf(o.Key[len(prefix):]); ok {
			images[f] = o.ETag
		}
	})
	if err != nil {
		return nil, err
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("list %s: %w", prefix, ErrNoImages)
	}
	return images, nil
}

package dataset

import (
	"context"
	"slices"
	"strings"
)

// Image is one image of a frame in the destination, as a listing of everything gives it.
type Image struct {
	Place Place
	Frame Frame
	ETag  string
}

// Whole lists all frames of all datasets, each episode's by Compare. Every place and episode is a listing of its own, at
// most Parallel at once, since one class of one dataset can hold most of a season. Memory: about 200 bytes an image.
func (d Destination) Whole(ctx context.Context) (map[Episode][]Image, error) {
	folders, err := d.Folders(ctx)
	if err != nil {
		return nil, err
	}
	type cell struct {
		episode Episode
		images  []Image
	}
	var cells []*cell
	g, ctx := d.group(ctx)
	for _, folder := range folders {
		for _, e := range folder.Episodes {
			c := &cell{episode: e}
			cells = append(cells, c)
			g.Go(func() error {
				return d.walk(ctx, d.Layout.Folder(folder.Place)+e.FramePrefix(), func(p Place, f Frame, etag string) {
					if p == folder.Place { // a class folder can itself be named like a frame
						c.images = append(c.images, Image{Place: folder.Place, Frame: f, ETag: etag})
					}
				})
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	whole := map[Episode][]Image{}
	for _, c := range cells {
		whole[c.episode] = append(whole[c.episode], c.images...)
	}
	for _, images := range whole {
		slices.SortFunc(images, Image.Compare)
	}
	return whole, nil
}

// Compare orders images by frame, then by place.
func (i Image) Compare(o Image) int {
	if c := strings.Compare(string(i.Frame), string(o.Frame)); c != 0 {
		return c
	}
	return i.Place.Compare(o.Place)
}

// Compare orders places by dataset, then by class.
func (p Place) Compare(o Place) int {
	if c := strings.Compare(p.Dataset, o.Dataset); c != 0 {
		return c
	}
	return strings.Compare(p.Class, o.Class)
}

// DigestOf is Standing.Digest of the same images.
func DigestOf(images []Image) Digest {
	var d Digest
	for _, i := range images {
		d.Add(i.Place, i.Frame, i.ETag)
	}
	return d
}

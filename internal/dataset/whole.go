package dataset

import (
	"context"
	"slices"
	"strings"
)

// Image is one image of a frame in the destination, from a listing of everything.
type Image struct {
	Place Place
	Frame Frame
	ETag  string
}

// Images lists one episode in the places, sorted by Compare. It needs about 200 bytes an image.
// Each place is a separate listing.
func (d Destination) Images(ctx context.Context, places []Place, e Episode) ([]Image, error) {
	found := make([][]Image, len(places))
	g, ctx := d.group(ctx)
	for i, place := range places {
		g.Go(func() error {
			return d.walk(ctx, d.Layout.Folder(place)+e.FramePrefix(), func(p Place, f Frame, etag string) {
				if p == place { // a class folder can itself be named like a frame
					found[i] = append(found[i], Image{Place: place, Frame: f, ETag: etag})
				}
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	images := slices.Concat(found...)
	slices.SortFunc(images, Image.Compare)
	return images, nil
}

// Located are the places of each episode.
func Located(folders []Folder) map[Episode][]Place {
	places := map[Episode][]Place{}
	for _, folder := range folders {
		for _, e := range folder.Episodes {
			places[e] = append(places[e], folder.Place)
		}
	}
	return places
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

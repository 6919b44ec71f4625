package dataset

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Strays collects the keys below ML/ that are not frames of a dataset: folders that are not
// datasets, and other objects in the datasets' folders. The program never changes them. Strays is
// safe for concurrent use. A nil one collects nothing.
type Strays struct {
	mu      sync.Mutex
	keys    map[string]bool
	folders map[string]bool // prefixes whose keys are not listed
	more    bool            // some keys were not collected
}

const (
	// maxStrays limits the memory, at about 150 bytes a key.
	maxStrays = 10_000
	// maxExamples limits the examples of a StrayCount. maxFolders limits the folders that a plan
	// lists, with one request each.
	maxExamples = 10
	maxFolders  = 16
)

func (s *Strays) add(key string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[string]bool{}
	}
	if len(s.keys) >= maxStrays && !s.keys[key] {
		s.more = true
		return
	}
	s.keys[key] = true
}

func (s *Strays) addFolder(prefix string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folders == nil {
		s.folders = map[string]bool{}
	}
	if len(s.folders) >= maxStrays && !s.folders[prefix] {
		s.more = true
		return
	}
	s.folders[prefix] = true
}

// StrayCount summarises the collected strays.
type StrayCount struct {
	Count int `json:"count"`
	// AtLeast means that there are more keys than Count.
	AtLeast bool `json:"at_least,omitempty"`
	// Examples are some of the keys, at most ten, of as many folders as possible.
	Examples []string `json:"examples"`
	// Unlisted is why some folders could not be listed.
	Unlisted string `json:"unlisted,omitempty"`
}

// CountStrays lists ML/ for folders that are not datasets, and counts all strays that it or an
// earlier listing found. It lists one page of such a folder, or all of it with whole. It returns
// nil when there are no strays. A folder that cannot be listed is not an error, because nothing
// depends on its content.
func (d Destination) CountStrays(ctx context.Context, whole bool) (*StrayCount, error) {
	err := d.others(ctx)
	folders := slices.Sorted(maps.Keys(d.Strays.folders))
	if !whole && len(folders) > maxFolders {
		for _, folder := range folders[maxFolders:] {
			d.Strays.add(folder)
		}
		folders, d.Strays.more = folders[:maxFolders], true
	}
	var mu sync.Mutex
	g := errgroup.Group{}
	g.SetLimit(max(d.Parallel, 1))
	for _, folder := range folders {
		g.Go(func() error {
			if failed := d.look(ctx, folder, whole); failed != nil {
				mu.Lock()
				defer mu.Unlock()
				err = cmp.Or(err, failed)
			}
			return nil
		})
	}
	_ = g.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return d.Strays.count(err), nil
}

// others collects the entries beside the datasets.
func (d Destination) others(ctx context.Context) error {
	ml := d.Layout.ML()
	for page, err := range bucket.Pages(ctx, d.Bucket, bucket.ListInput{Prefix: ml, Delimiter: "/", KeysOnly: true}) {
		if err != nil {
			return err
		}
		for _, folder := range page.Prefixes {
			if !slices.Contains(d.Datasets, strings.TrimSuffix(folder[len(ml):], "/")) {
				d.Strays.addFolder(folder)
			}
		}
		d.strays(page, ml)
	}
	return nil
}

// look collects the keys of a folder that is not a dataset, whatever their names.
func (d Destination) look(ctx context.Context, folder string, whole bool) error {
	for page, err := range bucket.Pages(ctx, d.Bucket, bucket.ListInput{Prefix: folder, KeysOnly: true}) {
		if err != nil {
			d.Strays.add(folder)
			return err
		}
		for _, o := range page.Objects {
			d.Strays.add(o.Key)
		}
		d.skipped(page)
		full := d.Strays.isFull()
		if page.Next != "" && (!whole || full) {
			d.Strays.leaveOut()
			return nil
		}
	}
	return nil
}

func (s *Strays) isFull() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys) >= maxStrays
}

func (s *Strays) leaveOut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more = true
}

func (s *Strays) count(unlisted error) *StrayCount {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) == 0 && unlisted == nil {
		return nil
	}
	c := &StrayCount{Count: len(s.keys), AtLeast: s.more, Examples: []string{}}
	if unlisted != nil {
		var e *bucket.Error
		c.Unlisted, c.AtLeast = unlisted.Error(), true
		if errors.As(unlisted, &e) && e.Code == bucket.CodeAccessDenied {
			c.Unlisted = "s3:ListBucket is not granted for " + e.Key
		}
	}
	c.Examples = examples(slices.Sorted(maps.Keys(s.keys)))
	return c
}

// examples returns some of the keys, in order. It takes one of each folder first, so that a large
// folder does not hide the others.
func examples(keys []string) []string {
	chosen, rest, seen := []string{}, []string{}, map[string]bool{}
	for _, key := range keys {
		folder := key[:strings.LastIndexByte(strings.TrimSuffix(key, "/"), '/')+1]
		if !seen[folder] {
			chosen = append(chosen, key)
		} else if len(rest) < maxExamples {
			rest = append(rest, key)
		}
		seen[folder] = true
	}
	chosen = append(chosen, rest...)
	chosen = chosen[:min(len(chosen), maxExamples)]
	slices.Sort(chosen)
	return chosen
}

// AllStrays lists everything below ML/ for strays.
func (d Destination) AllStrays(ctx context.Context) (*StrayCount, error) {
	d.Strays = &Strays{}
	folders, err := d.Folders(ctx)
	if err != nil {
		return nil, err
	}
	g, listing := d.group(ctx)
	for _, folder := range folders {
		for _, e := range folder.Episodes {
			g.Go(func() error {
				return d.walk(listing, d.Layout.Folder(folder.Place)+e.FramePrefix(), func(Place, Frame, string) {})
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return d.CountStrays(ctx, true)
}

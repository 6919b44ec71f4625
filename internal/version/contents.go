package version

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// formatOfParts is the format of a version whose rows are in parts, one for each episode. A version
// of format 1, from an earlier release, has its rows in the CSV files and also in one object.
const formatOfParts = 2

// partsAtOnce is the number of parts that are read at a time. Each needs about 8 MB.
const partsAtOnce = 4

// snapshot is snapshot.json: the version, and the locations of its episodes' parts. Its conditional
// write decides which of several writers wins.
type snapshot struct {
	Version  state.Version             `json:"version"`
	Episodes map[dataset.Episode]Entry `json:"episodes"`
}

const snapshotFile = "snapshot.json"

func readSnapshot(ctx context.Context, s *state.Store, generation int64) (snapshot, error) {
	var of snapshot
	name := state.VersionName(generation, snapshotFile)
	_, err := s.ReadJSON(ctx, name, &of)
	if err == nil && of.Version.Generation != generation {
		err = fmt.Errorf("read %s%s: %w: it is of generation %d", s.Layout.State(), name, state.ErrDamaged, of.Version.Generation)
	}
	return of, err
}

// Contents reads the rows of a version, one episode at a time. When an object of the version is
// missing or damaged, it reads the rows from the CSV files, which also have all of them.
type Contents struct {
	Version state.Version

	store   *state.Store
	entries map[dataset.Episode]Entry // nil: only the CSV files have the rows

	mu    sync.Mutex
	files Parts // the CSV files divided into parts, after they are read
}

// csv reads the CSV files at the first call.
func (c *Contents) csv(ctx context.Context) (Parts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		parts, err := partsOfCSV(ctx, c.store, c.Version)
		if err != nil {
			return nil, err
		}
		c.files = parts
	}
	return c.files, nil
}

// Open opens a version.
func Open(ctx context.Context, s *state.Store, v state.Version) (*Contents, error) {
	c := &Contents{Version: v, store: s}
	if v.V > formatOfParts {
		return nil, fmt.Errorf("version %d has the format %d, and this release reads up to %d: install the newer release", v.Generation, v.V, formatOfParts)
	}
	if v.V < formatOfParts {
		return c, nil
	}
	of, err := readSnapshot(ctx, s, v.Generation)
	if err != nil && !state.Lost(err) {
		return nil, err
	}
	if err == nil {
		c.entries = of.Episodes
		if c.entries == nil {
			c.entries = map[dataset.Episode]Entry{}
		}
	}
	return c, nil
}

// OpenLatest opens the newest version. It returns nil when there is none.
func OpenLatest(ctx context.Context, s *state.Store) (*Contents, error) {
	v, err := s.LatestVersion(ctx)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return Open(ctx, s, v)
}

// Entry returns the description of an episode's part, when the version has one.
func (c *Contents) Entry(e dataset.Episode) (Entry, bool) {
	entry, ok := c.entries[e]
	return entry, ok
}

// HasParts reports whether the version has parts that a later one can share.
func (c *Contents) HasParts() bool { return c.entries != nil }

// Episodes returns the episodes with rows, in order.
func (c *Contents) Episodes(ctx context.Context) ([]dataset.Episode, error) {
	if c.entries != nil {
		return slices.Sorted(maps.Keys(c.entries)), nil
	}
	parts, err := c.csv(ctx)
	return slices.Sorted(maps.Keys(parts)), err
}

// Stored reads the part of an episode only from its object. It returns nil when the version has no
// row of the episode. A missing or damaged object is an error (state.Lost).
func (c *Contents) Stored(ctx context.Context, e dataset.Episode) (*Part, error) {
	entry, ok := c.entries[e]
	if !ok {
		return nil, nil
	}
	name := entry.object(e)
	body, err := c.store.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	p, err := openPart(c.store.Layout, e, entry, body.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s%s: %w", c.store.Layout.State(), name, err)
	}
	return p, nil
}

// Part reads the part of an episode. It returns nil when the version has no row of the episode.
func (c *Contents) Part(ctx context.Context, e dataset.Episode) (*Part, error) {
	if c.entries == nil {
		parts, err := c.csv(ctx)
		return parts[e], err
	}
	p, err := c.Stored(ctx, e)
	if !state.Lost(err) {
		return p, err
	}
	parts, csvErr := c.csv(ctx)
	switch {
	case csvErr != nil:
		return nil, errors.Join(err, csvErr)
	case parts[e] == nil || parts[e].SHA256 != c.entries[e].SHA256:
		return nil, fmt.Errorf("%w; nor do the CSV files of version %d have the same rows: restore the object, or choose another version", err, c.Version.Generation)
	}
	return parts[e], nil
}

// Rows reads the rows of an episode, by dataset, class and frame.
func (c *Contents) Rows(ctx context.Context, e dataset.Episode) ([]Row, error) {
	p, err := c.Part(ctx, e)
	if err != nil || p == nil {
		return nil, err
	}
	return p.Read(c.store.Layout)
}

// All reads all parts. They stay compressed, with about 0.5 MB an episode.
func (c *Contents) All(ctx context.Context) (Parts, error) {
	episodes, err := c.Episodes(ctx)
	if err != nil {
		return nil, err
	}
	read := make([]*Part, len(episodes))
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(partsAtOnce)
	for i, e := range episodes {
		g.Go(func() (err error) {
			read[i], err = c.Part(reading, e)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	parts := Parts{}
	for i, e := range episodes {
		parts[e] = read[i]
	}
	return parts, nil
}

// partsOfCSV divides the CSV files of a version into parts. It has one file in memory at a time.
func partsOfCSV(ctx context.Context, s *state.Store, v state.Version) (Parts, error) {
	names := slices.SortedFunc(maps.Keys(v.Counts), func(a, b string) int { return cmp.Compare(a+"/", b+"/") })
	built := map[dataset.Episode]*partBuilder{}
	for _, name := range names {
		if !dataset.ValidName(name) {
			return nil, fmt.Errorf("version %d: %.60q is no name of a dataset", v.Generation, name)
		}
		body, err := readCSV(ctx, s, v, name)
		if err != nil {
			return nil, err
		}
		if err := divide(s.Layout, name, body, built); err != nil {
			return nil, fmt.Errorf("read %s%s: %w", s.Layout.State(), state.VersionName(v.Generation, name+".csv"), err)
		}
	}
	parts := Parts{}
	for e, b := range built {
		parts[e] = b.part()
	}
	return parts, nil
}

// divide adds the rows of a CSV file to the parts. The rows are sorted by key, so those of one
// episode in one folder are consecutive.
func divide(l dataset.Layout, name string, body []byte, built map[dataset.Episode]*partBuilder) error {
	text, ok := bytes.CutPrefix(body, []byte(header))
	if !ok {
		first, _, _ := bytes.Cut(body, []byte("\n"))
		return fmt.Errorf("%w: its header is %.200q, expected %q", state.ErrDamaged, first, strings.TrimSpace(header))
	}
	var rows []Row
	begin, end := int64(0), int64(0)
	flush := func() {
		if len(rows) == 0 {
			return
		}
		e := rows[0].Frame.Episode()
		if built[e] == nil {
			built[e] = newPartBuilder(e)
		}
		built[e].add(rows[0].Place, rows, text[begin:end])
		begin, rows = end, rows[:0]
	}
	err := decodeRows(bytes.NewReader(text), l, name, func(r Row, after int64) error {
		if len(rows) > 0 && (r.Place != rows[0].Place || r.Frame.Episode() != rows[0].Frame.Episode()) {
			flush()
		}
		rows, end = append(rows, r), after
		return nil
	})
	flush()
	return err
}

package version

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Entry describes the part of one episode in a version's snapshot.
type Entry struct {
	// Folder is the generation of the version whose folder contains the part.
	Folder int64                     `json:"folder"`
	SHA256 string                    `json:"sha256"` // of the part's text
	Rows   int                       `json:"rows"`
	Frames int                       `json:"frames"` // fewer than Rows when frames have two copies
	Counts map[string]map[string]int `json:"counts"` // dataset → class → rows
}

// Part is the compressed rows of one episode. Its object is a text of CSV lines by dataset, class
// and frame, compressed with zstd. Each folder's lines are a separate zstd frame. So a dataset's
// file can be joined from the parts of all episodes without reading the other datasets.
type Part struct {
	Entry
	Episode  dataset.Episode
	sections []section
}

// section has the lines of one folder.
type section struct {
	place  dataset.Place
	rows   int
	size   int // of the text
	packed []byte
}

// NewPart compresses the rows of an episode. They are sorted by frame within each folder.
func NewPart(l dataset.Layout, e dataset.Episode, rows []Row) (*Part, error) {
	folders := map[dataset.Place][]Row{}
	for _, r := range rows {
		folders[r.Place] = append(folders[r.Place], r)
	}
	b := newPartBuilder(e)
	for _, place := range slices.SortedFunc(maps.Keys(folders), comparePlaces) {
		slices.SortFunc(folders[place], func(a, b Row) int { return strings.Compare(string(a.Frame), string(b.Frame)) })
		var text bytes.Buffer
		if err := encodeRows(&text, l, folders[place]); err != nil {
			return nil, err
		}
		b.add(place, folders[place], text.Bytes())
	}
	return b.part(), nil
}

// partBuilder builds a part, section by section in the order of the text.
type partBuilder struct {
	of     *Part
	frames dataset.FrameSet
	sum    hash.Hash
}

func newPartBuilder(e dataset.Episode) *partBuilder {
	return &partBuilder{
		of: &Part{Episode: e, Entry: Entry{Counts: map[string]map[string]int{}}}, frames: dataset.FrameSet{}, sum: sha256.New(),
	}
}

func (b *partBuilder) add(place dataset.Place, rows []Row, text []byte) {
	p := b.of
	if p.Counts[place.Dataset] == nil {
		p.Counts[place.Dataset] = map[string]int{}
	}
	p.Counts[place.Dataset][place.Class] += len(rows)
	p.Rows += len(rows)
	for _, r := range rows {
		b.frames.Add(r.Frame)
	}
	_, _ = b.sum.Write(text) // a hash takes everything
	p.sections = append(p.sections, section{place: place, rows: len(rows), size: len(text), packed: state.Pack(text)})
}

func (b *partBuilder) part() *Part {
	b.of.Frames, b.of.SHA256 = b.frames.Len(), hex.EncodeToString(b.sum.Sum(nil))
	return b.of
}

// object returns the part's name below <prefix>/shuffle/.
func (e Entry) object(episode dataset.Episode) string {
	return state.VersionName(e.Folder, partsFolder+string(episode)+"-"+e.SHA256[:min(len(e.SHA256), namedDigits)]+".csv.zst")
}

const (
	partsFolder = "parts/"
	namedDigits = 16 // of the sum in a part's name
)

func (p *Part) body() []byte {
	var all [][]byte
	for _, s := range p.sections {
		all = append(all, s.packed)
	}
	return bytes.Join(all, nil)
}

// openPart checks an object against its entry in the snapshot. Its error is state.ErrDamaged.
func openPart(l dataset.Layout, e dataset.Episode, entry Entry, body []byte) (*Part, error) {
	frames, err := state.Frames(body)
	if err != nil {
		return nil, err
	}
	p := &Part{Entry: entry, Episode: e}
	for name, classes := range entry.Counts {
		for class, rows := range classes {
			p.sections = append(p.sections, section{place: dataset.Place{Dataset: name, Class: class}, rows: rows})
		}
	}
	slices.SortFunc(p.sections, func(a, b section) int { return comparePlaces(a.place, b.place) })
	if len(frames) != len(p.sections) {
		return nil, fmt.Errorf("%w: it has %d folders, expected %d", state.ErrDamaged, len(frames), len(p.sections))
	}
	sum := sha256.New()
	for i := range p.sections {
		text, err := state.Unpack(frames[i])
		if err != nil {
			return nil, err
		}
		_, _ = sum.Write(text)
		p.sections[i].packed, p.sections[i].size = frames[i], len(text)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != entry.SHA256 {
		return nil, fmt.Errorf("%w: the SHA-256 of its text is %s, expected %.64q", state.ErrDamaged, got, entry.SHA256)
	}
	return p, nil
}

// Read returns the rows of the part, by dataset, class and frame.
func (p *Part) Read(l dataset.Layout) ([]Row, error) {
	rows := make([]Row, 0, p.Rows)
	for _, s := range p.sections {
		for r, err := range s.read(l, p.Episode) {
			if err != nil {
				return nil, err
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// ReadDataset returns the rows of the part in one dataset.
func (p *Part) ReadDataset(l dataset.Layout, name string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, s := range p.sections {
			if s.place.Dataset != name {
				continue
			}
			for r, err := range s.read(l, p.Episode) {
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// read returns the rows of the section. It checks that all of them belong to its folder and the
// episode.
func (s section) read(l dataset.Layout, e dataset.Episode) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		text, err := state.Unpack(s.packed)
		if err == nil {
			err = decodeRows(bytes.NewReader(text), l, s.place.Dataset, func(r Row, _ int64) error {
				if r.Place != s.place || r.Frame.Episode() != e {
					return fmt.Errorf("%w: it has %s among the frames of %s in %s", state.ErrDamaged, r.File(), e, s.place)
				}
				if !yield(r, nil) {
					return errStopped
				}
				return nil
			})
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(Row{}, fmt.Errorf("read the rows of %s in %s: %w", e, s.place, err))
		}
	}
}

var errStopped = errors.New("stopped")

// Parts are the compressed rows of a version, by episode.
type Parts map[dataset.Episode]*Part

// located is a section with its episode.
type located struct {
	section
	episode dataset.Episode
}

// sections returns the sections of one dataset in the order of their keys.
func (p Parts) sections(name string) []located {
	var all []located
	for _, e := range slices.Sorted(maps.Keys(p)) {
		for _, s := range p[e].sections {
			if s.place.Dataset == name {
				all = append(all, located{s, e})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b located) int { return comparePlaces(a.place, b.place) })
	return all
}

// Only returns the parts with the rows of these datasets alone.
func (p Parts) Only(datasets []string) Parts {
	fewer := Parts{}
	for e, part := range p {
		kept := *part
		kept.sections = slices.DeleteFunc(slices.Clone(part.sections), func(s section) bool { return !slices.Contains(datasets, s.place.Dataset) })
		fewer[e] = &kept
	}
	return fewer
}

// CSV returns the file of one dataset, with the rows sorted by key.
func (p Parts) CSV(name string) *state.Text {
	text := &state.Text{}
	_, _ = text.Write([]byte(header)) // it is held in memory
	for _, s := range p.sections(name) {
		text.Add(s.packed, s.size)
	}
	return text
}

// Rows iterates over the rows of one dataset by key. It has one folder of one episode in memory at
// a time.
func (p Parts) Rows(l dataset.Layout, name string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, s := range p.sections(name) {
			for r, err := range s.read(l, s.episode) {
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// Counts sums up the parts: dataset → class → rows, and the number of rows. The given datasets are
// included even when they are empty.
func (p Parts) Counts(datasets []string) (counts map[string]map[string]int, rows int) {
	counts = map[string]map[string]int{}
	for _, name := range datasets {
		counts[name] = map[string]int{}
	}
	for _, part := range p {
		rows += part.Rows
		for name, classes := range part.Counts {
			if counts[name] == nil {
				counts[name] = map[string]int{}
			}
			for class, n := range classes {
				counts[name][class] += n
			}
		}
	}
	return counts, rows
}

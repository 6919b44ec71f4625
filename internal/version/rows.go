package version

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Row is one image of a dataset version.
type Row struct {
	Place dataset.Place
	Frame dataset.Frame
	ETag  string
	// SrcETag is the source's content that was copied; empty when unknown.
	SrcETag string
}

// versionHeader is the header of a version's CSV. file_name is relative to <prefix>/ML/, so that the CSV can stand
// beside the dataset folders; key is relative to the bucket.
var versionHeader = []string{"file_name", "label", "key", "etag", "source_etag", "frame"}

// name is the row's key relative to <prefix>/ML/.
func (r Row) name() string { return dataset.Layout{}.Key(r.Place, r.Frame)[len("ML/"):] }

// compareKeys orders rows as a listing orders their keys.
func (r Row) compareKeys(o Row) int {
	switch {
	case r.Place == o.Place:
		return strings.Compare(string(r.Frame), string(o.Frame))
	case r.Place.Dataset != o.Place.Dataset:
		return compareFolders(r.Place.Dataset, o.Place.Dataset)
	case r.Place.Class != "" && o.Place.Class != "":
		return compareFolders(r.Place.Class, o.Place.Class)
	}
	return strings.Compare(r.name(), o.name())
}

// compareFolders compares a+"/" with b+"/".
func compareFolders(a, b string) int {
	n := min(len(a), len(b))
	switch {
	case a[:n] != b[:n] || len(a) == len(b):
		return strings.Compare(a, b)
	case len(a) == n:
		return strings.Compare("/", b[n:])
	}
	return strings.Compare(a[n:], "/")
}

// csvRow is about the length of a row, with ETags of 32 digits.
const csvRow = 220

// encodeRows writes the CSV of one dataset.
func encodeRows(l dataset.Layout, name string, rows []Row) ([]byte, error) {
	n := 0
	for _, r := range rows {
		if r.Place.Dataset == name {
			n++
		}
	}
	var body bytes.Buffer
	body.Grow(n * csvRow) // a season has tens of MB: growing by doubling would take twice that
	w := csv.NewWriter(&body)
	if err := w.Write(versionHeader); err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.Place.Dataset != name {
			continue
		}
		cells := []string{r.name(), r.Place.Class, l.Key(r.Place, r.Frame), r.ETag, r.SrcETag, string(r.Frame)}
		if err := w.Write(state.DefuseAll(cells)); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return body.Bytes(), w.Error()
}

// decodeRows reads what encodeRows wrote.
func decodeRows(l dataset.Layout, body io.Reader) ([]Row, error) {
	r := csv.NewReader(body)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	if !slices.Equal(header, versionHeader) {
		return nil, fmt.Errorf("header is %q, expected %q", header, versionHeader)
	}
	var rows []Row
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		place, frame, ok := l.Parse(l.ML() + state.Armed(cells[0]))
		if !ok {
			return nil, fmt.Errorf("%.200q is no frame's key", cells[0])
		}
		rows = append(rows, Row{Place: place, Frame: frame, ETag: state.Armed(cells[3]), SrcETag: state.Armed(cells[4])})
	}
}

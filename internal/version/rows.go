package version

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Row is one image of a dataset version.
type Row struct {
	Place dataset.Place
	Frame dataset.Frame
	ETag  string
	// SrcETag is the ETag of the source that was copied; "" when unknown.
	SrcETag string
}

// File returns the row's key relative to <prefix>/ML/.
func (r Row) File() string { return dataset.Layout{}.Key(r.Place, r.Frame)[len("ML/"):] }

// header is the first line of a CSV file. file_name is relative to <prefix>/ML/, so that the CSV
// file can be placed beside the dataset folders. key is relative to the bucket.
const header = "file_name,label,key,etag,source_etag,frame\n"

// folderKey returns a sort key that orders places in the same way as a listing orders their keys.
func folderKey(p dataset.Place) string {
	if p.Class == "" {
		return p.Dataset + "/TT_" // the beginning of its frames' names
	}
	return p.Dataset + "/" + p.Class + "/"
}

// comparePlaces orders places by folderKey.
func comparePlaces(a, b dataset.Place) int { return strings.Compare(folderKey(a), folderKey(b)) }

// encodeRows writes rows as lines of a CSV file, without its header.
func encodeRows(w io.Writer, l dataset.Layout, rows []Row) error {
	out := csv.NewWriter(w)
	for _, r := range rows {
		cells := []string{r.File(), r.Place.Class, l.Key(r.Place, r.Frame), r.ETag, r.SrcETag, string(r.Frame)}
		if err := out.Write(state.DefuseAll(cells)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// decodeRows reads the output of encodeRows. It returns each row with the offset of its end. A row
// with a key outside the dataset is an error, because anyone who may write to the bucket can change
// a version's objects.
func decodeRows(r io.Reader, l dataset.Layout, name string, each func(row Row, end int64) error) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.FieldsPerRecord = strings.Count(header, ",") + 1
	places := map[dataset.Place]dataset.Place{} // so that all rows of a place share its strings
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", state.ErrDamaged, err)
		}
		file := state.Armed(cells[0])
		place, frame, ok := l.Parse(l.ML() + file)
		if !ok {
			return fmt.Errorf("%w: %.200q is no frame's key", state.ErrDamaged, cells[0])
		}
		if err := l.CheckDestination(l.Key(place, frame), frame); err != nil || place.Dataset != name {
			return fmt.Errorf("%w: it has %s in %.100q, which is no class of %s", state.ErrDamaged, frame, place, name)
		}
		if known, ok := places[place]; ok {
			place = known
		} else {
			place = dataset.Place{Dataset: name, Class: strings.Clone(place.Class)}
			places[place] = place
		}
		if err := each(rowOf(place, frame, state.Armed(cells[3]), state.Armed(cells[4])), in.InputOffset()); err != nil {
			return err
		}
	}
}

// rowOf copies the texts of a row into one string. They are parts of a line, and would keep it in
// memory.
func rowOf(place dataset.Place, frame dataset.Frame, etag, srcETag string) Row {
	text := string(frame) + etag
	if srcETag != etag {
		text += srcETag
	}
	f, e := len(frame), len(frame)+len(etag)
	r := Row{Place: place, Frame: dataset.Frame(text[:f]), ETag: text[f:e], SrcETag: text[e:]}
	if srcETag == etag {
		r.SrcETag = r.ETag
	}
	return r
}

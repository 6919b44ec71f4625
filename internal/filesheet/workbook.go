package filesheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// unzipLimit is the largest unpacked size of a part of an XLSX file.
const unzipLimit = 1 << 30

// readWorkbook reads a worksheet of an XLSX file: the one whose name is the gid, or the first one
// for gid "" and "0". If there is only one, it is used for any gid, because a workbook that was
// downloaded from Google does not have the gids.
//
// An XLSX file is a ZIP file of XML parts (ECMA-376). Each part is read to its end. An incomplete
// part is an error, and never a worksheet with fewer rows.
func readWorkbook(file, gid string) (sheet.Values, error) {
	archive, err := zip.OpenReader(file)
	if errors.Is(err, zip.ErrFormat) {
		return sheet.Values{}, notZIP(file)
	}
	if err != nil {
		return sheet.Values{}, err
	}
	defer archive.Close() //nolint:errcheck // It was only read.
	v, err := (&workbook{parts: archive.File}).values(gid)
	if err != nil && !errors.Is(err, sheet.ErrWorksheetNotFound) {
		err = fmt.Errorf("damaged XLSX file: %w: open it in a spreadsheet program and save it again", err)
	}
	return v, err
}

// notZIP describes a file that is not a ZIP file.
func notZIP(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const oldOffice = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" // of OLE files (MS-CFB)
	switch {
	case len(raw) == 0:
		return errors.New("expected an XLSX file, found an empty file")
	case bytes.HasPrefix(raw, []byte(oldOffice)) && bytes.Contains(raw, []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e")):
		return errors.New("expected an XLSX file without a password, found one that is protected by a password: save it without")
	case bytes.HasPrefix(raw, []byte(oldOffice)):
		return errors.New("expected an XLSX file, found an old Excel file (.xls): save it as XLSX")
	case bytes.HasPrefix(bytes.TrimSpace(raw), []byte("<")):
		return errors.New("expected an XLSX file, found a web page or XML: download the spreadsheet again, as XLSX")
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		return errors.New("damaged XLSX file: it breaks off: download or save it again")
	}
	return errors.New("expected an XLSX file, found another kind of file: save it as XLSX")
}

// workbook is an open XLSX file.
type workbook struct {
	parts []*zip.File
	texts []string // the shared strings
}

func (w *workbook) values(gid string) (sheet.Values, error) {
	book, err := w.bookPart()
	if err != nil {
		return sheet.Values{}, err
	}
	var tabs struct {
		All []struct {
			Name     string `xml:"name,attr"`
			Relation string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := w.decode(book, &tabs); err != nil {
		return sheet.Values{}, err
	}
	relations, err := w.relations(book)
	if err != nil {
		return sheet.Values{}, err
	}
	var names, parts []string // of the worksheets only, because a tab may be a chart
	for _, tab := range tabs.All {
		for _, r := range relations {
			if r.ID == tab.Relation && strings.HasSuffix(r.Type, "/worksheet") {
				names, parts = append(names, tab.Name), append(parts, r.Target)
			}
		}
	}
	i := slices.Index(names, gid)
	if i < 0 && (gid == "" || gid == "0" || len(names) == 1) {
		i = 0
	}
	if i < 0 || len(names) == 0 {
		return sheet.Values{}, fmt.Errorf("expected a worksheet named %q, found %.300q: %w; an XLSX file does not hold the gids of Google: give the worksheet this name, or leave it alone in the file",
			gid, names, sheet.ErrWorksheetNotFound)
	}
	for _, r := range relations {
		if strings.HasSuffix(r.Type, "/sharedStrings") {
			if err := w.sharedStrings(r.Target); err != nil {
				return sheet.Values{}, err
			}
		}
	}
	rows, err := w.rows(parts[i])
	if err != nil {
		return sheet.Values{}, fmt.Errorf("worksheet %.100q: %w", names[i], err)
	}
	return sheet.Values{Worksheet: names[i], Rows: trim(rows)}, nil
}

// relation is a link from one part to another.
type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

// relations returns the relations of a part; "" is the file itself. Their targets are names of
// parts.
func (w *workbook) relations(part string) ([]relation, error) {
	var found struct {
		All []relation `xml:"Relationship"`
	}
	dir, name := path.Split(part)
	if err := w.decode(path.Join(dir, "_rels", name+".rels"), &found); err != nil {
		return nil, err
	}
	for i, r := range found.All {
		if target, absolute := strings.CutPrefix(r.Target, "/"); absolute {
			found.All[i].Target = target
		} else {
			found.All[i].Target = path.Join(dir, r.Target)
		}
	}
	return found.All, nil
}

// bookPart returns the name of the part that lists the worksheets, nearly always xl/workbook.xml.
func (w *workbook) bookPart() (string, error) {
	relations, err := w.relations("")
	if err != nil {
		return "", err
	}
	for _, r := range relations {
		if strings.HasSuffix(r.Type, "/officeDocument") {
			return r.Target, nil
		}
	}
	return "", errors.New("expected a workbook, found another kind of file in ZIP format")
}

// open opens a part. Some programs write names with backslashes, or in another case.
func (w *workbook) open(part string) (io.ReadCloser, error) {
	for _, f := range w.parts {
		if !strings.EqualFold(strings.ReplaceAll(f.Name, `\`, "/"), part) {
			continue
		}
		if f.UncompressedSize64 > unzipLimit {
			return nil, fmt.Errorf("part %.100q has more than %d bytes", part, int64(unzipLimit))
		}
		return f.Open()
	}
	return nil, fmt.Errorf("part %.100q is missing", part)
}

// decode reads a part that is one small element.
func (w *workbook) decode(part string, v any) error {
	r, err := w.open(part)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // It was only read.
	if err := xml.NewDecoder(r).Decode(v); err != nil {
		return fmt.Errorf("part %.100q: %w", part, err)
	}
	return nil
}

package rows

import "fmt"

// bases collects the base URIs of one sheet, which must all mean the same folder.
type bases struct {
	opt  Options
	seen map[string]bool // as typed in the sheet
	last string          // the URI of the row before, which is nearly always the same
	base string
	row  int // that base is in
}

// take adds the URI of a row. It ignores "".
func (b *bases) take(row int, raw string) error {
	if raw == "" || raw == b.last || b.seen[raw] {
		return nil
	}
	base, err := ParseBase(raw, b.opt.BucketNames, b.opt.Prefix, b.opt.Episode)
	if err != nil {
		return fmt.Errorf("row %d: %w", row, err)
	}
	if b.base != "" && b.base != base {
		return fmt.Errorf("expected one base URI in all rows, found %s in row %d and %s in row %d", quote(b.base), b.row, quote(base), row)
	}
	if b.base == "" {
		b.base, b.row, b.seen = base, row, map[string]bool{}
	}
	b.last, b.seen[raw] = raw, true
	return nil
}

// result returns the base, or the default when the sheet has none.
func (b *bases) result() (string, error) {
	if b.base != "" {
		return b.base, nil
	}
	base := DefaultBase(b.opt.Prefix, b.opt.Episode, b.opt.ImageSize)
	if err := checkFolder(base[:len(base)-1], b.opt.Prefix); err != nil {
		return "", fmt.Errorf("base folder by default, of the image size %s: %w", quote(b.opt.ImageSize), err)
	}
	return base, nil
}

package pull

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// folders makes every class folder of every dataset, since loaders number the classes by the folders that they find in
// each.
func (p *puller) folders() error {
	for _, name := range p.names {
		for _, class := range p.Version.ClassNames() {
			if err := p.checkClass(class); err != nil {
				return err
			}
			if err := p.root.MkdirAll(path.Join(name, class), dirMode); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep removes the frames that the version does not have, or counts them.
func (p *puller) sweep() error {
	for _, name := range p.names {
		if err := p.sweepDataset(name); err != nil {
			return err
		}
	}
	return nil
}

func (p *puller) sweepDataset(name string) error {
	entries, err := p.list(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		file := path.Join(name, e.Name())
		if !e.IsDir() {
			if err := p.sweepFile(file, e); err != nil {
				return err
			}
			continue
		}
		if err := p.sweepClass(file); err != nil {
			return err
		}
		if p.Delete && !slices.Contains(p.Version.ClassNames(), e.Name()) {
			_ = p.root.Remove(file) // it stays when there is something else in it
		}
	}
	return nil
}

// sweepClass looks at the files of a class folder. It removes them when it has seen all: a folder that changes meanwhile may
// not give every entry.
func (p *puller) sweepClass(folder string) error {
	var all []fs.DirEntry
	err := p.eachEntry(folder, func(image fs.DirEntry) {
		if p.isExtra(path.Join(folder, image.Name()), image) {
			all = append(all, image)
		}
	})
	if err != nil {
		return err
	}
	for _, image := range all {
		if err := p.sweepFile(path.Join(folder, image.Name()), image); err != nil {
			return err
		}
	}
	return nil
}

// entriesAtOnce bounds the entries of a folder that are in memory.
const entriesAtOnce = 1000

// eachEntry gives the entries of a folder in no order; one that is missing is empty.
func (p *puller) eachEntry(folder string, each func(fs.DirEntry)) error {
	f, err := p.root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	for {
		entries, err := f.ReadDir(entriesAtOnce)
		for _, e := range entries {
			each(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// list lists a folder; one that is missing is empty.
func (p *puller) list(folder string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(p.root.FS(), folder)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return entries, err
}

// isExtra reports whether a file is a frame that the version does not have there: a regular file in a frame's place and with
// a frame's name. No other is ever touched.
func (p *puller) isExtra(file string, e fs.DirEntry) bool {
	place, frame, ok := (dataset.Layout{}).Parse(dataset.Layout{}.ML() + file)
	return ok && e.Type().IsRegular() && !p.wanted[place].Has(frame)
}

// sweepFile looks at one file.
func (p *puller) sweepFile(file string, e fs.DirEntry) error {
	if !p.isExtra(file, e) {
		return nil
	}
	if !p.Delete {
		p.result.Leftover++
		return nil
	}
	p.result.Removed++
	return p.root.Remove(file)
}

// removeDataset removes what a pull has written of a dataset.
func (p *puller) removeDataset(name string) error {
	if !dataset.ValidName(name) {
		return nil // no pull has written that
	}
	if err := p.sweepDataset(name); err != nil {
		return err
	}
	entries, err := p.list(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		_ = p.root.Remove(path.Join(name, e.Name())) // class folders, if they are empty now
	}
	_ = p.root.Remove(name)
	if err := p.root.Remove(name + ".csv"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

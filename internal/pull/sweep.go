package pull

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// folders creates every class folder in every dataset, because loaders number the classes by the
// folders of each dataset.
func (p *puller) folders() error {
	for _, name := range p.names {
		for _, class := range p.Version.ClassNames() {
			// It cannot be a folder's name.
			if dataset.CheckKey(class) != nil || strings.Contains(class, "/") {
				return fmt.Errorf("version %d: %.60q is no name of a class", p.Version.Generation, class)
			}
			if err := p.root.MkdirAll(path.Join(name, class), dirMode); err != nil {
				return err
			}
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
			_ = p.root.Remove(file) // a folder with other files stays
		}
	}
	return nil
}

// sweepClass checks the files of a class folder. It removes files only after reading the whole
// folder, because reading a changing folder may miss entries.
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

// entriesAtOnce is the largest number of a folder's entries in memory.
const entriesAtOnce = 1000

// eachEntry calls a function for each entry of a folder, in no order. A missing folder counts as
// empty.
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

// list lists a folder. A missing folder counts as empty.
func (p *puller) list(folder string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(p.root.FS(), folder)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return entries, err
}

// isExtra reports whether a file is a frame that the version does not have at that path. It must be
// a regular file in a class folder with a frame's name. Other files are never removed.
func (p *puller) isExtra(file string, e fs.DirEntry) bool {
	place, frame, ok := (dataset.Layout{}).Parse(dataset.Layout{}.ML() + file)
	return ok && e.Type().IsRegular() && !p.wanted[place].Has(frame)
}

// sweepFile removes or counts one file if it is extra.
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

// removeDataset removes the files of a dataset that a pull has written.
func (p *puller) removeDataset(name string) error {
	if !dataset.ValidName(name) {
		return nil // no pull has written this
	}
	if err := p.sweepDataset(name); err != nil {
		return err
	}
	entries, err := p.list(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		_ = p.root.Remove(path.Join(name, e.Name())) // removes class folders that are empty now
	}
	_ = p.root.Remove(name)
	if err := p.root.Remove(name + ".csv"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

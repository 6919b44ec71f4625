package pull

import (
	"errors"
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
		images, err := p.list(file)
		if err != nil {
			return err
		}
		for _, image := range images {
			if err := p.sweepFile(path.Join(file, image.Name()), image); err != nil {
				return err
			}
		}
		if p.Delete && !slices.Contains(p.Version.ClassNames(), e.Name()) {
			_ = p.root.Remove(file) // it stays when there is something else in it
		}
	}
	return nil
}

// list lists a folder; one that is missing is empty.
func (p *puller) list(folder string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(p.root.FS(), folder)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return entries, err
}

// sweepFile looks at one file. Only a regular file in a frame's place and with a frame's name is ever touched.
func (p *puller) sweepFile(file string, e fs.DirEntry) error {
	ml := dataset.Layout{}.ML()
	if _, _, ok := (dataset.Layout{}).Parse(ml + file); !ok || !e.Type().IsRegular() || p.wanted[file] {
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

package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// A pull's own files in the folder. Loaders skip names that begin with a dot.
const (
	ownDir   = ".pull"
	markFile = ownDir + "/pull.json"
	noteFile = ownDir + "/etags.jsonl"
	lockFile = ownDir + "/lock"
	tempDir  = ownDir + "/new"
)

// mark is pull.json, which describes the content of the folder.
type mark struct {
	V       int    `json:"v"`
	Version int64  `json:"version"`
	Run     string `json:"run"`
	// Datasets records for each dataset whether it is complete. It stays false after an interrupted
	// pull.
	Datasets map[string]bool `json:"datasets"`
}

// lock excludes other pulls from the folder until unlock, or until this process ends. The file is
// never removed, because the lock of a new file would not exclude the users of the old one.
func (p *puller) lock() (unlock func(), err error) {
	if _, err := p.readMark(); err != nil {
		return nil, err // before the first write, because the folder may not belong to a pull
	}
	if err := p.root.MkdirAll(ownDir, dirMode); err != nil {
		return nil, err
	}
	// It refuses links out of the folder.
	f, err := p.root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	lock := flock.New(f.Name())
	locked, err := lock.TryLock()
	if err == nil && !locked {
		err = fmt.Errorf("another pull writes to %s: wait for its end, or name another folder", p.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}

// begin prepares the folder, or refuses it when it does not belong to a pull.
func (p *puller) begin() error {
	earlier, err := p.readMark()
	if err != nil {
		return err
	}
	p.mark = mark{V: 1, Version: p.Version.Generation, Run: p.Version.Run, Datasets: map[string]bool{}}
	if earlier.Version == p.mark.Version {
		p.mark.Datasets = earlier.Datasets
	} else if err := p.others(earlier); err != nil {
		return err
	}
	for _, name := range p.names {
		p.mark.Datasets[name] = false
	}
	// The temporary files of a killed pull are useless.
	if err := p.root.RemoveAll(tempDir); err != nil {
		return err
	}
	if err := p.root.MkdirAll(tempDir, dirMode); err != nil {
		return err
	}
	if err := p.writeMark(); err != nil {
		return err
	}
	return p.notes.open(p.root)
}

// readMark reads the mark of an earlier pull. It refuses a folder that does not belong to a pull.
func (p *puller) readMark() (mark, error) {
	var m mark
	body, err := p.root.ReadFile(markFile)
	if errors.Is(err, fs.ErrNotExist) {
		return m, p.empty()
	}
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%w: read %s of %s: %w; remove the file if the folder may be written over", ErrUsage, markFile, p.Dir, err)
	}
	if m.Datasets == nil {
		m.Datasets = map[string]bool{}
	}
	return m, nil
}

// empty refuses a folder with files that are not a pull's own. A lock file alone is accepted, as in
// a fresh clone of a repository that has the lock file but not the images.
func (p *puller) empty() error {
	entries, err := fs.ReadDir(p.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != ownDir && e.Name() != LockName {
			return fmt.Errorf("%w: %s has files that no pull has written, %q among them: name a new folder, or an empty one", ErrUsage, p.Dir, e.Name())
		}
	}
	return nil
}

// others handles datasets of another version in the folder that are not pulled now. Together with
// the new ones, a frame could be in two datasets without notice.
func (p *puller) others(earlier mark) error {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(earlier.Datasets)) {
		if !slices.Contains(p.names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if !p.Delete {
		return fmt.Errorf("%w: %s has %s of version %d, which do not belong beside version %d: pull all datasets, add --delete to remove them, or name another folder",
			ErrUsage, p.Dir, strings.Join(names, ", "), earlier.Version, p.Version.Generation)
	}
	for _, name := range names {
		if err := p.removeDataset(name); err != nil {
			return err
		}
	}
	return nil
}

// end records which datasets are complete now.
func (p *puller) end() error {
	for _, name := range p.names {
		p.mark.Datasets[name] = p.result.Whole()
	}
	if err := p.notes.file.Close(); err != nil {
		return err
	}
	return p.writeMark()
}

func (p *puller) writeMark() error {
	body, err := json.MarshalIndent(p.mark, "", " ")
	if err != nil {
		return err
	}
	return p.put(markFile, append(body, '\n'))
}

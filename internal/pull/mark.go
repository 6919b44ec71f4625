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

// What a pull keeps for itself in the folder. Loaders leave out what begins with a dot.
const (
	ownDir   = ".pull"
	markFile = ownDir + "/pull.json"
	noteFile = ownDir + "/etags.jsonl"
	lockFile = ownDir + "/lock"
	tempDir  = ownDir + "/new"
)

// mark is pull.json: what the folder holds.
type mark struct {
	V       int    `json:"v"`
	Version int64  `json:"version"`
	Run     string `json:"run"`
	// Datasets says of each whether it is whole; a pull that was cut off leaves it false.
	Datasets map[string]bool `json:"datasets"`
}

// lock keeps other pulls out of the folder until it is undone, or this process ends. The file stays: a new one would lock
// nobody out.
func (p *puller) lock() (unlock func(), err error) {
	if _, err := p.readMark(); err != nil {
		return nil, err // before anything is written to a folder of somebody else's
	}
	if err := p.root.MkdirAll(ownDir, dirMode); err != nil {
		return nil, err
	}
	f, err := p.root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, fileMode) // refuses links out of the folder
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

// begin takes the folder, if it is this program's to take.
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
	// What a pull that was killed has left there is of no use.
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

// readMark reads what an earlier pull has left. A folder of somebody else's is refused.
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

// empty refuses a folder with anything but this program's own in it. A lock file alone may be
// there, as in a fresh clone of a repository that has it and not the images.
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

// others sees to the datasets that the folder has of another version and that are not pulled now. Beside the new ones they
// would hide that one frame is in two of them.
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

// end notes what is whole now.
func (p *puller) end() error {
	for _, name := range p.names {
		p.mark.Datasets[name] = p.result.Whole()
	}
	if err := p.notes.close(); err != nil {
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

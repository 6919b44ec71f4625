package dirbucket

import (
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// settled is how long ago the last change of a file or folder must be for what was read from it to be kept. A
	// change within one tick of the file system's clock (up to 2 s, on FAT) can't be told from none.
	settled = 3 * time.Second
	// keptFolders bounds the cache: a listing goes through one branch of folders at a time.
	keptFolders = 16
)

// folderCache keeps the sorted names of the folders read last, so that the pages of a large folder read it once.
type folderCache struct {
	mu   sync.Mutex
	kept map[string]folder
}

type folder struct {
	mark  fingerprint
	names []string
}

// names are the sorted names in a folder, those of folders with a slash at the end. The caller must not change them.
func (b *Bucket) names(path string) ([]string, error) {
	f, err := b.root.Open("./" + path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	mark, marked := fingerprintOf(st)
	if names, ok := b.folders.get(path, mark); ok && marked {
		return names, nil
	}
	keep := marked && mark.settledBy(time.Now())
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	names := sortedNames(path, entries)
	if keep {
		b.folders.put(path, folder{mark: mark, names: names})
	}
	return names, nil
}

// sortedNames leaves out what is no object and holds none: links, devices, names that are not UTF-8, our own folder.
func sortedNames(path string, entries []fs.DirEntry) []string {
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		name := e.Name()
		switch {
		case path == "" && strings.EqualFold(name, tempDir), !utf8.ValidString(name):
		case e.IsDir():
			names = append(names, name+"/")
		case e.Type().IsRegular():
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (c *folderCache) get(path string, mark fingerprint) ([]string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := c.kept[path]
	if !ok || kept.mark != mark {
		return nil, false
	}
	return kept.names, true
}

func (c *folderCache) put(path string, f folder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= keptFolders {
		c.kept = make(map[string]folder, keptFolders)
	}
	c.kept[path] = f
}

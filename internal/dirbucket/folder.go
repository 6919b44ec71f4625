package dirbucket

import (
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

const (
	// settled is how long ago the last change of a file or folder must be before its content is
	// cached. Two changes within one tick of the file system's clock (up to 2 s, on FAT) have the
	// same time.
	settled = 3 * time.Second
	// keptFolders is the size of the cache. A listing reads one branch of folders at a time.
	keptFolders = 16
)

// folderCache keeps the sorted names of the folders read last, so that the pages of a large folder
// read it once.
type folderCache struct {
	mu   sync.Mutex
	kept map[string]folder
}

type folder struct {
	mark  fingerprint
	names []string
}

// names returns the sorted names in a folder. Names of folders end in a slash, and other names are
// as in sortedNames. The caller must not change them.
func (b *Bucket) names(path string) ([]string, error) {
	f, err := b.root().Open("./" + path)
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

// notObject separates the name of an entry that is not an object from its kind. It is a NUL, which
// no name has, and which sorts before every other character.
const notObject = "\x00"

// sortedNames skips tempDir and names that are not UTF-8. An entry that is neither a file nor a
// folder has its kind after its name.
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
		default:
			names = append(names, name+notObject+kindOf(e.Type()))
		}
	}
	slices.Sort(names)
	return names
}

func kindOf(t fs.FileMode) string {
	switch {
	case t&fs.ModeSymlink != 0:
		return bucket.KindLink
	case t&fs.ModeNamedPipe != 0:
		return bucket.KindPipe
	case t&fs.ModeSocket != 0:
		return bucket.KindSocket
	}
	return bucket.KindDevice
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

package dirbucket

import (
	"context"
	"sort"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// walker visits the keys of a prefix in the order of their bytes. The names of folders end in a
// slash, so they sort like the keys below them: "a-b" before "a/b" before "a0".
type walker struct {
	bucket *Bucket
	from   cursor
	stack  []level
}

// level is a folder on the walk's path, with the names that it has not visited yet.
type level struct {
	path  string // "" or ending in a slash
	names []string
}

// start begins in the last complete folder of the prefix, which may end inside a name. An invalid
// prefix has no keys.
func (w *walker) start(prefix string) error {
	slash := strings.LastIndexByte(prefix, '/')
	folder, rest := prefix[:slash+1], prefix[slash+1:]
	if possible := folder == "" || checkKey(folder[:slash]) == nil; !possible {
		return nil
	}
	if _, err := w.enter(folder); err != nil {
		return err
	}
	top := &w.stack[0]
	top.names = top.names[sort.SearchStrings(top.names, rest):]
	end := sort.Search(len(top.names), func(i int) bool { return !strings.HasPrefix(top.names[i], rest) })
	top.names = top.names[:end]
	return nil
}

// enter reads a folder and pushes the names after the cursor on the stack. It reports whether the
// folder is empty, unless the cursor is already there.
func (w *walker) enter(path string) (empty bool, err error) {
	names, err := w.bucket.names(path)
	if err != nil && !isAbsent(err) {
		return false, err
	}
	w.stack = append(w.stack, level{path: path, names: w.from.after(path, names)})
	return err == nil && len(names) == 0 && !strings.HasPrefix(w.from.key, path), nil
}

// next returns the next key, or "" at the end. The key of an entry that is not an object has its
// kind after it, as in sortedNames. An empty folder is such an entry.
func (w *walker) next(ctx context.Context) (string, error) {
	for len(w.stack) > 0 {
		top := &w.stack[len(w.stack)-1]
		if len(top.names) == 0 {
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		key := top.path + top.names[0]
		top.names = top.names[1:]
		if !strings.HasSuffix(key, "/") {
			return key, nil
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
		empty, err := w.enter(key)
		if err != nil {
			return "", err
		}
		if empty {
			return key + notObject + bucket.KindFolder, nil
		}
	}
	return "", nil
}

// seek continues after the cursor, without visiting the skipped keys.
func (w *walker) seek(to cursor) {
	w.from = to
	for i := range w.stack {
		w.stack[i].names = to.after(w.stack[i].path, w.stack[i].names)
	}
}

// after removes the names in a folder that have no key after the cursor.
func (c cursor) after(path string, names []string) []string {
	rest, inside := strings.CutPrefix(c.key, path)
	if !inside {
		if path < c.key || c.whole && strings.HasPrefix(path, c.key) {
			return nil
		}
		return names
	}
	return names[sort.Search(len(names), func(i int) bool {
		name := names[i]
		if strings.HasSuffix(name, "/") && strings.HasPrefix(rest, name) {
			return !c.whole || name != rest // the cursor is inside that folder
		}
		return name > rest && !(c.whole && strings.HasPrefix(name, rest))
	}):]
}

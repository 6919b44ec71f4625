package benchserver

import (
	"crypto/md5" //nolint:gosec // The ETag of S3 is the MD5.
	"encoding/hex"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// object is immutable: a write replaces it with another object.
type object struct {
	body     []byte
	etag     string // with its quotes
	modified time.Time
}

func newObject(body []byte) *object {
	sum := md5.Sum(body) //nolint:gosec // The ETag of S3 is the MD5.
	return &object{body: body, etag: `"` + hex.EncodeToString(sum[:]) + `"`, modified: time.Now().UTC()}
}

// condition is the condition of a write; both fields have the format of the headers.
type condition struct{ ifMatch, ifNoneMatch string }

// store is one bucket.
type store struct {
	mu      sync.Mutex
	objects map[string]*object

	// keys are in the order of the last listing, because only listings need an order. The keys that
	// were added and removed since are separate.
	keys    []string
	added   []string
	removed []string
}

func newStore() *store { return &store{objects: map[string]*object{}} }

// fill writes an object under each key. Its content is the last part of the key.
func (s *store) fill(keys []string) {
	for _, key := range keys {
		s.put(key, newObject([]byte(path.Base(key))), condition{})
	}
}

func (s *store) get(key string) *object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key]
}

// put writes the object. It returns a refusal when the condition is false.
func (s *store) put(key string, o *object, cond condition) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.objects[key]
	switch {
	case cond.ifNoneMatch == "*" && old != nil:
		return preconditionFailed
	case cond.ifMatch != "" && old == nil:
		return noSuchKey
	case cond.ifMatch != "" && old.etag != cond.ifMatch:
		return preconditionFailed
	}
	if old == nil {
		s.added = append(s.added, key)
	}
	s.objects[key] = o
	return nil
}

func (s *store) delete(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		if _, there := s.objects[key]; there {
			delete(s.objects, key)
			s.removed = append(s.removed, key)
		}
	}
}

func (s *store) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.objects) == 0
}

// order updates keys.
func (s *store) order() {
	gone := slices.DeleteFunc(s.removed, func(key string) bool { return s.objects[key] != nil })
	if len(gone) > 0 {
		slices.Sort(gone)
		kept, old := s.keys[:0], s.keys
		for _, key := range gone {
			n, found := slices.BinarySearch(old, key)
			kept = append(kept, old[:n]...)
			if old = old[n:]; found {
				old = old[1:]
			}
		}
		s.keys = append(kept, old...)
		s.added = slices.DeleteFunc(s.added, func(key string) bool { return s.objects[key] == nil })
	}
	s.removed = nil
	if len(s.added) == 0 {
		return
	}
	slices.Sort(s.added)
	merged := make([]string, 0, len(s.keys)+len(s.added))
	old := s.keys
	for _, key := range s.added {
		n, _ := slices.BinarySearch(old, key)
		merged = append(append(merged, old[:n]...), key)
		old = old[n:]
	}
	// A key that was removed and written again since the last listing is in both.
	s.keys, s.added = slices.Compact(append(merged, old...)), nil
}

// entry is a line of a listing: an object, or a common prefix when it has no object.
type entry struct {
	key    string
	object *object
}

// marker is the position after the entry, where the next page starts. No key contains the byte 0xFF
// (UTF-8), so all keys of a common prefix come before its marker.
func (e entry) marker() string {
	if e.object == nil {
		return e.key + "\xff"
	}
	return e.key
}

// list returns up to limit entries below the prefix and after the marker, and reports whether there
// are more.
func (s *store) list(prefix, delimiter, after string, limit int) (page []entry, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order()
	first, found := slices.BinarySearch(s.keys, max(prefix, after))
	if found && after >= prefix {
		first++
	}
	keys := s.keys[first:]
	for len(keys) > 0 && strings.HasPrefix(keys[0], prefix) {
		if len(page) == limit {
			return page, limit > 0
		}
		if common := rollUp(keys[0], prefix, delimiter); common != "" {
			page = append(page, entry{key: common})
			keys = beyond(keys, common)
			continue
		}
		page = append(page, entry{keys[0], s.objects[keys[0]]})
		keys = keys[1:]
	}
	return page, false
}

// beyond removes the keys with the prefix, which are the first ones.
func beyond(keys []string, prefix string) []string {
	n := sort.Search(len(keys), func(i int) bool { return !strings.HasPrefix(keys[i], prefix) })
	return keys[n:]
}

// rollUp is the common prefix that represents the key in a listing, or "".
func rollUp(key, prefix, delimiter string) string {
	if delimiter == "" {
		return ""
	}
	before, _, found := strings.Cut(key[len(prefix):], delimiter)
	if !found {
		return ""
	}
	return key[:len(prefix)+len(before)+len(delimiter)]
}

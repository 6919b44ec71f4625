package version

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// tags is versions/tags.json: the names that people give to dataset versions. Retention never
// removes a tagged version.
//
// Tagging and retention may run at the same time, each in several processes. A version is either
// tagged or in Removing, and both sides decide that by a conditional write of this one object. So
// one of the two writes is the first:
//
//	first write           | then
//	----------------------+----------------------------------------------------------------
//	the tag               | retention's write fails; it reads the object again, finds the
//	                      | tag and keeps the version
//	the entry in Removing | the tag's write fails; tagging reads the object again, finds the
//	                      | entry and refuses
//	the entry, then the   | nobody can tag the version; the next retention finishes its
//	tracker stops         | removal
//	the entry, dropped    | tagging finds no entry and no version.json, and refuses
//	when all is deleted   |
//
// Retention deletes only after its write. So no tag ever names a version that retention removes.
type tags struct {
	V int `json:"v"`
	// Revision grows with every write. Without it the object could go from one content to another
	// and back, with the same ETag, between a reading and the conditional write that relies on it.
	Revision int64 `json:"revision"`
	// Tags holds the generation of each tag's version.
	Tags map[string]int64 `json:"tags"`
	// Removing holds the generations that retention has decided to remove, newest first.
	Removing []int64 `json:"removing,omitempty"`
}

const (
	tagsName    = "versions/tags.json"
	tagsVersion = 1
)

// ErrTag means that a tag cannot be set or removed as asked.
var ErrTag = errors.New("the tags stay as they are")

var tagPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// CheckTag refuses a name that could be mistaken for a version's number, for latest or for a flag,
// and one that is hard to type.
func CheckTag(name string) error {
	isNumber := strings.Trim(name, "0123456789") == ""
	if !tagPattern.MatchString(name) || isNumber || strings.HasPrefix(name, "-") || strings.EqualFold(name, "latest") {
		return fmt.Errorf("%w: tag %.80q: expected 1 to 64 letters, digits, dots, - or _ that do not begin with - and are neither a number nor latest",
			ErrTag, name)
	}
	return nil
}

// TagChange is what became of one tag.
type TagChange struct {
	Tag     string `json:"tag"`
	Before  int64  `json:"before,omitempty"`  // the generation that it named; 0: there was no such tag
	Version int64  `json:"version,omitempty"` // the generation that it names now; 0: it is removed
}

// SetTag makes a tag name the version of that generation. A tag that names another version is moved
// only with force.
func SetTag(ctx context.Context, s *state.Store, name string, generation int64, force bool) (TagChange, error) {
	change := TagChange{Tag: name, Version: generation}
	if err := CheckTag(name); err != nil {
		return change, err
	}
	err := updateTags(ctx, s, func(t *tags) (bool, error) {
		now := t.Tags[name]
		if now == generation {
			return false, nil // also when this process has written it, and the answer was lost
		}
		if now != 0 && !force {
			return false, fmt.Errorf("%w: %s already names version %d; add --force to move it to version %d", ErrTag, name, now, generation)
		}
		if slices.Contains(t.Removing, generation) {
			return false, fmt.Errorf("%w: version %d is being removed, since it is older than --keep-versions (SHUFFLE_KEEP_VERSIONS) keeps; tag a newer one", ErrTag, generation)
		}
		// This stands between the reading of the tags and their conditional write: see the table at
		// tags.
		_, err := s.ReadVersion(ctx, generation)
		if errors.Is(err, bucket.ErrNotFound) {
			return false, fmt.Errorf("%w: version %d has been removed meanwhile; see shuffle versions", ErrTag, generation)
		}
		if err != nil {
			return false, err
		}
		change.Before, t.Tags[name] = now, generation
		return true, nil
	})
	return change, err
}

// RemoveTag removes a tag. Its version stays until the next retention.
func RemoveTag(ctx context.Context, s *state.Store, name string) (TagChange, error) {
	change := TagChange{Tag: name}
	err := updateTags(ctx, s, func(t *tags) (bool, error) {
		now := t.Tags[name]
		if now == 0 {
			if change.Before != 0 {
				return false, nil // this process has removed it, and the answer was lost
			}
			return false, fmt.Errorf("%w: there is no tag %.80q; see shuffle versions", ErrTag, name)
		}
		change.Before = now
		delete(t.Tags, name)
		return true, nil
	})
	return change, err
}

// Tags reads the generation that each tag names.
func Tags(ctx context.Context, s *state.Store) (map[string]int64, error) {
	c, err := s.Read(ctx, tagsName)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return nil, err
	}
	t, err := decodeTags(s, c.Body)
	return t.Tags, err
}

// markForRemoval decides which of the generations are removed: those up to the latest beyond the newest keep, and those before
// the latest whose removal has begun already, unless they are tagged. From its return on, none of them can be tagged. all are
// the generations of which anything is left, newest first. When another process has begun to remove the latest or a later one,
// that process knows versions which this one does not: it is left to do so.
func markForRemoval(ctx context.Context, s *state.Store, all []int64, latest int64, keep int) (removing []int64, err error) {
	err = updateTags(ctx, s, func(t *tags) (bool, error) {
		tagged := map[int64]bool{}
		for _, g := range t.Tags {
			tagged[g] = true
		}
		removing = nil
		var marked []int64
		kept := 0
		for _, g := range all {
			begun := slices.Contains(t.Removing, g) && !tagged[g] // parts that others need may be all that is left of it
			if g <= latest && !begun {
				kept++
			}
			if begun || kept > keep && !tagged[g] {
				marked = append(marked, g)
				if g < latest {
					removing = append(removing, g)
				}
			}
		}
		for _, g := range t.Removing {
			if g >= latest && !slices.Contains(all, g) { // published after the listing
				marked = append(marked, g)
			}
		}
		slices.Sort(marked)
		slices.Reverse(marked)
		unchanged := slices.Equal(t.Removing, marked)
		t.Removing = marked
		return !unchanged, nil
	})
	return removing, err
}

// updateTags changes the tags by a conditional write. change says whether there is anything to
// write; it may be called again, when another process has written meanwhile.
func updateTags(ctx context.Context, s *state.Store, change func(*tags) (bool, error)) error {
	return s.Update(ctx, tagsName, func(old []byte) ([]byte, error) {
		t, err := decodeTags(s, old)
		if err != nil {
			return nil, err
		}
		changed, err := change(&t)
		if err != nil || !changed {
			return nil, err
		}
		t.Revision++
		body, err := json.MarshalIndent(t, "", " ")
		return append(body, '\n'), err
	})
}

// decodeTags reads tags.json; nil is an object that does not exist. Content that it does not
// understand is an error. Else a write would lose tags, and retention would remove tagged versions.
func decodeTags(s *state.Store, body []byte) (tags, error) {
	t := tags{V: tagsVersion}
	if body != nil {
		t.V = 0
		if err := json.Unmarshal(body, &t); err != nil {
			return tags{}, fmt.Errorf("read %s%s: %w; restore the object's last version, or delete it and set the tags again", s.Layout.State(), tagsName, err)
		}
	}
	if t.V != tagsVersion {
		return tags{}, fmt.Errorf("read %s%s: \"v\" is %d, expected %d: use the newer shuffle that wrote it, or restore the object's last version", s.Layout.State(), tagsName, t.V, tagsVersion)
	}
	for name, generation := range t.Tags {
		if err := CheckTag(name); err != nil || generation < 1 {
			return tags{}, fmt.Errorf("read %s%s: %.80q names version %d, expected a tag and a version's number; restore the object's last version", s.Layout.State(), tagsName, name, generation)
		}
	}
	if t.Tags == nil {
		t.Tags = map[string]int64{}
	}
	return t, nil
}

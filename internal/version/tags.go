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

// tags is versions/tags.json, the tags of dataset versions. Retention never removes a tagged
// version.
//
// Tagging and retention may run at the same time, each in several processes. A version is either
// tagged or in Removing, and both sides change that by a conditional write of this one object. So
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
// Retention deletes only after its write. So a tag never names a version that retention removes.
type tags struct {
	V int `json:"v"`
	// Revision grows with every write. Without it the content could change and change back, with
	// the same ETag, between a read and the conditional write that relies on it.
	Revision int64 `json:"revision"`
	// Tags has the generation of each tag's version.
	Tags map[string]int64 `json:"tags"`
	// Removing has the generations that retention has decided to remove, newest first.
	Removing []int64 `json:"removing,omitempty"`
}

const (
	tagsName    = "versions/tags.json"
	tagsVersion = 1
)

// ErrTag means that a tag cannot be set or removed.
var ErrTag = errors.New("the tags stay as they are")

var tagPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// CheckTag refuses a name that looks like a version's number, latest or a flag, and a name that is
// hard to type.
func CheckTag(name string) error {
	isNumber := strings.Trim(name, "0123456789") == ""
	if !tagPattern.MatchString(name) || isNumber || strings.HasPrefix(name, "-") || strings.EqualFold(name, "latest") {
		return fmt.Errorf("%w: tag %.80q: expected 1 to 64 letters, digits, dots, - or _ that do not begin with - and are neither a number nor latest",
			ErrTag, name)
	}
	return nil
}

// TagChange is the change of one tag.
type TagChange struct {
	Tag     string `json:"tag"`
	Before  int64  `json:"before,omitempty"`  // its generation before; 0: the tag did not exist
	Version int64  `json:"version,omitempty"` // its generation now; 0: the tag is removed
}

// SetTag sets a tag to the version of a generation. It moves a tag from another version only with
// force.
func SetTag(ctx context.Context, s *state.Store, name string, generation int64, force bool) (TagChange, error) {
	change := TagChange{Tag: name, Version: generation}
	if err := CheckTag(name); err != nil {
		return change, err
	}
	err := updateTags(ctx, s, func(t *tags) (bool, error) {
		now := t.Tags[name]
		if now == generation {
			return false, nil // also after this process's own write with a lost response
		}
		if now != 0 && !force {
			return false, fmt.Errorf("%w: %s already names version %d; add --force to move it to version %d", ErrTag, name, now, generation)
		}
		if slices.Contains(t.Removing, generation) {
			return false, fmt.Errorf("%w: version %d is being removed, since it is older than --keep-versions (SHUFFLE_KEEP_VERSIONS) keeps; tag a newer one", ErrTag, generation)
		}
		// This check must be between the read of the tags and their conditional write, see the
		// table at tags.
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
				return false, nil // this process has removed it with a lost response
			}
			return false, fmt.Errorf("%w: there is no tag %.80q; see shuffle versions", ErrTag, name)
		}
		change.Before = now
		delete(t.Tags, name)
		return true, nil
	})
	return change, err
}

// Tags reads the generation of each tag.
func Tags(ctx context.Context, s *state.Store) (map[string]int64, error) {
	c, err := s.Read(ctx, tagsName)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return nil, err
	}
	t, err := decodeTags(s, c.Body)
	return t.Tags, err
}

// markForRemoval decides which generations are removed: those up to the latest beyond the newest
// keep, and those before the latest whose removal has already begun, unless they are tagged. After
// its return none of them can be tagged. all are the generations that still have objects, newest
// first. When another process removes the latest or a later one, that process knows newer versions,
// so markForRemoval leaves that removal to it.
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
			// Perhaps only parts that others need remain.
			begun := slices.Contains(t.Removing, g) && !tagged[g]
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

// updateTags changes the tags by a conditional write. change reports whether there is anything to
// write. It is called again when another process has written meanwhile.
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

// decodeTags decodes tags.json; nil means that the object does not exist. Unknown content is an
// error. Otherwise a write would lose tags, and retention would remove tagged versions.
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

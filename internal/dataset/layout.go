package dataset

import (
	"fmt"
	"strings"
)

// Place is a folder of the destination: a class within a dataset. Class is empty for what is in the
// dataset's folder itself.
type Place struct{ Dataset, Class string }

// MaxName is the largest number of bytes in the name of a dataset or a class. Most file systems
// allow 255 bytes for a folder's name, and a whole key may have 1,024.
const MaxName = 200

// ValidName reports whether a name can be a dataset's: letters, digits, - and _.
func ValidName(name string) bool {
	return name != "" && len(name) <= MaxName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

func (p Place) String() string { return p.Dataset + "/" + p.Class }

// Layout is the keys of everything in the bucket, below one prefix (DESIGN 1, 4 and 9). Keys are
// relative to the bucket.
type Layout struct{ Prefix string }

func (l Layout) under(folder string) string {
	if l.Prefix == "" {
		return folder
	}
	return l.Prefix + "/" + folder
}

// ML is the prefix of the datasets, ".../ML/".
func (l Layout) ML() string { return l.under("ML/") }

// State is the prefix of the program's own objects, ".../shuffle/".
func (l Layout) State() string { return l.under("shuffle/") }

// Manifests is the prefix of the manifests, ".../manifests/".
func (l Layout) Manifests() string { return l.under("manifests/") }

// Folder is the prefix of a place, ".../ML/train/Rare/".
func (l Layout) Folder(p Place) string {
	if p.Class == "" {
		return l.ML() + p.Dataset + "/"
	}
	return l.ML() + p.Dataset + "/" + p.Class + "/"
}

// Key is the frame's key in that place.
func (l Layout) Key(p Place, f Frame) string { return l.Folder(p) + f.File() }

// Parse is the reverse of Key. It returns false unless the key is a frame's key in a dataset.
func (l Layout) Parse(key string) (Place, Frame, bool) {
	rest, ok := strings.CutPrefix(key, l.ML())
	if !ok {
		return Place{}, "", false
	}
	slash := strings.LastIndexByte(rest, '/')
	if slash < 0 {
		return Place{}, "", false
	}
	f, ok := frameOf(rest[slash+1:])
	if !ok {
		return Place{}, "", false
	}
	name, class, nested := strings.Cut(rest[:slash], "/")
	if name == "" || nested && class == "" || strings.Contains(class, "/") {
		return Place{}, "", false
	}
	return Place{Dataset: name, Class: class}, f, true
}

// CheckDestination refuses every key except the given frame's keys in a dataset. It enforces
// guarantee 6 before every write and delete.
func (l Layout) CheckDestination(key string, f Frame) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if _, got, ok := l.Parse(key); !ok || got != f {
		return fmt.Errorf("key %.200q is not %s<dataset>/<class>/%s", key, l.ML(), f.File())
	}
	return nil
}

// CheckSource refuses a key that is not an image of the given frame, or that is below the datasets
// or the program's own objects.
func (l Layout) CheckSource(key string, f Frame) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if !strings.HasSuffix(key, "/"+f.File()) {
		return fmt.Errorf("source key %.200q does not end in /%s", key, f.File())
	}
	for _, p := range []string{l.ML(), l.State(), l.Manifests()} {
		if strings.HasPrefix(key, p) {
			return fmt.Errorf("source key %.200q stands under %s", key, p)
		}
	}
	return nil
}

// CheckKey refuses keys that this program never uses: empty, over 1,024 bytes (S3's limit), not
// relative, with an empty, "." or ".." segment, or with control characters.
func CheckKey(key string) error {
	if key == "" || len(key) > 1024 {
		return fmt.Errorf("key of %d bytes: expected 1 to 1,024", len(key))
	}
	for seg := range strings.SplitSeq(key, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return fmt.Errorf("key %.200q has an empty, \".\" or \"..\" segment", key)
		}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == '\uFFFD' }) {
		return fmt.Errorf("key %.200q has a control character or a backslash", key)
	}
	return nil
}

package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Images are the source images of an episode.
type Images struct {
	ETags map[Frame]string // of those that can be copied
	// Unusable describes the object of a frame whose image cannot be copied. Such a frame has no
	// ETag.
	Unusable map[Frame]string
	// Beside describes unused objects beside an image that can be copied.
	Beside map[Frame]string
}

// ErrNoImages means that a listing has no image that can be copied. It counts as a broken listing,
// never as an episode without images.
var ErrNoImages = errors.New("no images found")

// Source lists the images of an episode below the prefix of its sheet. With ErrNoImages the Images
// describe what was found.
func Source(ctx context.Context, b bucket.Lister, prefix string, e Episode) (Images, error) {
	im := Images{ETags: map[Frame]string{}, Unusable: map[Frame]string{}, Beside: map[Frame]string{}}
	if err := im.list(ctx, b, prefix, e.FramePrefix()); err != nil {
		return Images{}, err
	}
	if len(im.ETags) > 0 {
		return im, nil
	}
	if err := im.AddOtherCases(ctx, b, prefix, e); err != nil {
		return Images{}, err
	}
	return im, fmt.Errorf("list %s: %w", prefix, ErrNoImages)
}

// AddOtherCases looks for images whose names begin like the episode's in another case, such as
// tt_s01_e01_. It costs some requests, so it is used only when images are missing.
func (im *Images) AddOtherCases(ctx context.Context, b bucket.Lister, prefix string, e Episode) error {
	starts := []string{prefix}
	for part := range strings.SplitSeq(strings.TrimSuffix(e.FramePrefix(), "_"), "_") {
		var longer []string
		for _, start := range starts {
			for page, err := range bucket.Pages(ctx, b, bucket.ListInput{Prefix: start, Delimiter: "_"}) {
				if err != nil {
					return err
				}
				for _, p := range page.Prefixes {
					if strings.EqualFold(p[len(start):len(p)-1], part) {
						longer = append(longer, p)
					}
				}
			}
		}
		starts = longer
	}
	for _, start := range starts {
		if name := start[len(prefix):]; name != e.FramePrefix() {
			if err := im.list(ctx, b, prefix, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// list adds the images whose names begin with start.
func (im *Images) list(ctx context.Context, b bucket.Lister, prefix, start string) error {
	others := map[Frame]otherFile{}
	err := listFrames(ctx, b, prefix+start, func(page bucket.Page) {
		for _, o := range page.Objects {
			name := o.Key[len(prefix):]
			switch f, ok := frameOf(name); {
			case !ok:
				im.other(others, name)
			case o.Size == 0:
				im.Unusable[f] = "the source image is empty (0 bytes): upload it again"
			case o.IsArchived():
				im.Unusable[f] = fmt.Sprintf("the source image is archived (storage class %s) and cannot be copied: restore it, then copy it over itself as STANDARD (a listing does not show that it is restored)", o.StorageClass)
			default:
				im.ETags[f] = o.ETag
			}
		}
		for _, s := range page.Skipped {
			if f, ok := frameOf(strings.TrimSuffix(strings.TrimPrefix(s.Key, prefix), "/")); ok {
				im.Unusable[f] = noFile(s.Kind)
			}
		}
	})
	if err != nil {
		return err
	}
	for f := range im.Unusable {
		if _, ok := im.ETags[f]; ok { // in S3 a key and keys below it may both exist
			delete(im.Unusable, f)
		}
	}
	for f, o := range others {
		_, usable := im.ETags[f]
		switch {
		case usable && o.image:
			im.Beside[f] = fmt.Sprintf("beside the source image there is one with %s: it is not used", o.differs)
		case !usable && im.Unusable[f] == "":
			im.Unusable[f] = fmt.Sprintf("no source image with the ending %q, but a file with %s: rename or convert it", frameExt, o.differs)
		}
	}
	return nil
}

func noFile(kind string) string {
	return "the source image is " + kind + ", expected a file: put the file itself there"
}

// other handles a name that is not an image's.
func (im *Images) other(others map[Frame]otherFile, name string) {
	if folder, _, nested := strings.Cut(name, "/"); nested {
		if f, ok := frameOf(folder); ok {
			im.Unusable[f] = noFile("a folder")
		}
		return
	}
	f, found, ok := otherName(name)
	if before, again := others[f]; ok && (!again || found.image && !before.image || found.image == before.image && found.differs < before.differs) {
		others[f] = found
	}
}

// otherFile is a file whose name is similar to that of a frame's image.
type otherFile struct {
	differs string // how the name differs
	image   bool   // it has the extension of an image
}

// imageExts are the extensions of images in lower case.
var imageExts = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif", ".heic", ".heif"}

// textExts are the extensions of files that are often beside images and are not images.
var textExts = []string{".json", ".jsonl", ".txt", ".xml", ".xmp", ".csv", ".yaml", ".yml", ".md5", ".sha1", ".sha256", ".log", ".html"}

// otherName parses a file name that begins with a frame's name, in any case. The file may be the
// frame's image under a wrong name.
func otherName(name string) (f Frame, found otherFile, ok bool) {
	if len(name) < len(frameShape) {
		return "", otherFile{}, false
	}
	stem, ext := name[:len(frameShape)], name[len(frameShape):]
	f, err := ParseFrame(strings.ToUpper(stem))
	if err != nil || ext != "" && ext[0] >= '0' && ext[0] <= '9' || slices.Contains(textExts, strings.ToLower(path.Ext(ext))) {
		return "", otherFile{}, false
	}
	found.image = slices.Contains(imageExts, strings.ToLower(path.Ext(ext)))
	if found.differs = fmt.Sprintf("the name %.80q", name); stem == string(f) && strings.HasPrefix(ext, ".") {
		found.differs = fmt.Sprintf("the ending %.20q", ext)
	}
	return f, found, true
}

// Summary counts the unusable images by what is wrong with them, the most frequent first.
func (im Images) Summary() string {
	counts := map[string]int{}
	for _, what := range im.Unusable {
		counts[what]++
	}
	kinds := make([]string, 0, len(counts))
	for what := range counts {
		kinds = append(kinds, what)
	}
	slices.SortFunc(kinds, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	const shown = 3
	var parts []string
	for _, what := range kinds[:min(len(kinds), shown)] {
		parts = append(parts, fmt.Sprintf("%d × %s", counts[what], what))
	}
	if more := len(kinds) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d other kinds", more))
	}
	return strings.Join(parts, "; ")
}

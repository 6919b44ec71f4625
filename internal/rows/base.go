package rows

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// DefaultBase is the prefix of an episode's images when its sheet has no base URI. It is relative
// to the bucket.
func DefaultBase(prefix string, e dataset.Episode, imageSize string) string {
	return below(prefix, e.Folder()+"/default_eng/v1/frames/"+imageSize+"/")
}

// below returns a path under the prefix, which may be empty.
func below(prefix, path string) string {
	if prefix == "" {
		return path
	}
	return prefix + "/" + path
}

// ParseBase turns a sheet's base URI into a prefix of the bucket that ends in "/". It accepts
// s3://bucket/…, bucket/…, and both forms of S3's https URLs (path-style, virtual-host-style;
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html); bucketNames are the
// names of the one bucket that may be read. When the URI has no folder of an episode, ParseBase
// adds it.
//
// It refuses another bucket, another episode, the folders that the program writes, and every path
// that is not in its plain form, such as one with "..".
func ParseBase(raw string, bucketNames []string, prefix string, e dataset.Episode) (string, error) {
	if what, unknown := sheet.Unknown(trim(raw)); unknown {
		return "", fmt.Errorf("base URI %s: expected the address of a folder, found %s", quote(raw), what)
	}
	key, err := bucketKey(trim(raw), bucketNames)
	if err != nil {
		return "", fmt.Errorf("base URI %s: %w", quote(raw), err)
	}
	base, err := episodeFolder(strings.TrimSuffix(key, "/"), prefix, e)
	if err != nil {
		return "", fmt.Errorf("base URI %s: %w", quote(raw), err)
	}
	return base + "/", nil
}

// bucketKey removes the bucket from any form of the URI, and decodes the rest.
func bucketKey(raw string, bucketNames []string) (string, error) {
	if strings.ContainsAny(raw, "?#") {
		return "", fmt.Errorf("expected a folder, found a query or a fragment")
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		scheme, rest = "s3", raw
	}
	host, key := "", ""
	switch strings.ToLower(scheme) {
	case "s3":
		host, key, _ = strings.Cut(rest, "/")
	case "http", "https":
		host, key, _ = strings.Cut(rest, "/")
		if host, ok = bucketOfHost(host, bucketNames); !ok {
			host, key, _ = strings.Cut(key, "/")
		}
	default:
		return "", fmt.Errorf("expected s3:// or https://")
	}
	if !slices.Contains(bucketNames, host) {
		return "", fmt.Errorf("expected the bucket %s, found another bucket, %s", strings.Join(bucketNames, " or "), quote(host))
	}
	decoded, err := url.PathUnescape(key)
	if err != nil {
		return "", fmt.Errorf("expected a percent-encoded path: %w", err)
	}
	return decoded, nil
}

// bucketOfHost returns the bucket that a host names: the host itself, or the part before ".s3" in a
// host of S3's. Hosts are case-insensitive.
func bucketOfHost(host string, bucketNames []string) (bucket string, ok bool) {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	for _, name := range bucketNames {
		rest, found := strings.CutPrefix(host, strings.ToLower(name))
		if found && (rest == "" || strings.HasPrefix(rest, ".s3.") || strings.HasPrefix(rest, ".s3-")) {
			return name, true
		}
	}
	// The host of another bucket must not count as path-style, because then the first segment of
	// the path would count as the bucket.
	if strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn") {
		return host, !strings.HasPrefix(host, "s3.") && !strings.HasPrefix(host, "s3-")
	}
	return "", false
}

// episodeFolder checks the path, which has no slash at its end, and adds the episode's folder when
// it is missing.
func episodeFolder(path, prefix string, e dataset.Episode) (string, error) {
	if err := checkFolder(path, prefix); err != nil {
		return "", err
	}
	found := false
	for seg := range strings.SplitSeq(path, "/") {
		if !isEpisode(seg) {
			continue
		}
		if other, err := dataset.ParseEpisodeFlag(seg); err != nil || other != e {
			return "", fmt.Errorf("expected the episode %s, found another episode, %s", e, quote(seg))
		}
		found = true
	}
	if found {
		return path, nil
	}
	rest, ok := strings.CutPrefix(path+"/", below(prefix, ""))
	if !ok {
		return "", fmt.Errorf("expected the episode's folder %s in it, or a folder under %s", e.Folder(), below(prefix, ""))
	}
	full := strings.TrimSuffix(below(prefix, e.Folder()+"/"+rest), "/")
	return full, checkFolder(full, prefix)
}

// checkFolder refuses a path that cannot be a folder of images. It refuses the program's own
// folders in upper and lower case, because the bucket may be a folder on a case-insensitive disk.
func checkFolder(path, prefix string) error {
	if err := dataset.CheckKey(path); err != nil {
		return err
	}
	if strings.Contains(path, "%") {
		return fmt.Errorf("path is percent-encoded twice")
	}
	l := dataset.Layout{Prefix: prefix}
	for _, own := range []string{l.ML(), l.State(), l.Manifests()} {
		if len(path)+1 >= len(own) && strings.EqualFold((path + "/")[:len(own)], own) {
			return fmt.Errorf("expected a folder of images, found one under %s", own)
		}
	}
	return nil
}

// isEpisode reports whether a folder's name is an episode's: s, digits, e, digits, in any case.
func isEpisode(seg string) bool {
	rest := strings.TrimLeft(tail(seg, 's'), "0123456789")
	return len(seg) >= 4 && len(rest) < len(seg)-1 && tail(rest, 'e') != "" && strings.Trim(tail(rest, 'e'), "0123456789") == ""
}

// tail returns s without its first character, which must be the letter, in upper or lower case.
func tail(s string, letter byte) string {
	if s == "" || s[0]|0x20 != letter {
		return ""
	}
	return s[1:]
}

// bases collects the base URIs of one sheet, which must all mean the same folder.
type bases struct {
	opt  Options
	seen map[string]bool // as typed in the sheet
	last string          // the URI of the row before, which is nearly always the same
	base string
	row  int // that base is in
}

// take adds the URI of a row. It ignores "".
func (b *bases) take(row int, raw string) error {
	if raw == "" || raw == b.last || b.seen[raw] {
		return nil
	}
	base, err := ParseBase(raw, b.opt.BucketNames, b.opt.Prefix, b.opt.Episode)
	if err != nil {
		return fmt.Errorf("row %d: %w", row, err)
	}
	if b.base != "" && b.base != base {
		return fmt.Errorf("expected one base URI in all rows, found %s in row %d and %s in row %d", quote(b.base), b.row, quote(base), row)
	}
	if b.base == "" {
		b.base, b.row, b.seen = base, row, map[string]bool{}
	}
	b.last, b.seen[raw] = raw, true
	return nil
}

// result returns the base, or the default when the sheet has none.
func (b *bases) result() (string, error) {
	if b.base != "" {
		return b.base, nil
	}
	base := DefaultBase(b.opt.Prefix, b.opt.Episode, b.opt.ImageSize)
	if err := checkFolder(base[:len(base)-1], b.opt.Prefix); err != nil {
		return "", fmt.Errorf("base folder by default, of the image size %s: %w", quote(b.opt.ImageSize), err)
	}
	return base, nil
}

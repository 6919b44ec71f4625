package pull

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// LockName is the file in a pulled folder that identifies exactly the pulled content. It can be
// committed beside the code of a training. With it a pull on another machine gets the same images,
// see LockFile.Find.
const LockName = "shuffle.lock.json"

// LockFile is shuffle.lock.json. It contains no time and no path, so the same images give the same
// bytes.
type LockFile struct {
	V       int    `json:"v"`
	Bucket  string `json:"bucket"` // or the name of its folder
	Prefix  string `json:"prefix"`
	Version int64  `json:"version"` // its generation: a tag may be moved
	Run     string `json:"run"`
	Tag     string `json:"tag,omitempty"` // the tag that was given to find the version
	// Datasets are the datasets in the folder.
	Datasets []string       `json:"datasets"`
	Settings state.Settings `json:"settings"`
	// Counts covers all datasets: dataset → class → frames.
	Counts map[string]map[string]int `json:"counts"`
	// Digest covers all datasets, not only the pulled ones, see digestRows.
	Digest string `json:"digest"`
}

const (
	lockVersion = 1
	// maxLockBytes is the largest accepted lock file. A real one has a few KB.
	maxLockBytes = 1 << 20
)

// ReadLockFile reads a lock file that a pull has written.
func ReadLockFile(path string) (LockFile, error) {
	var l LockFile
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxLockBytes {
		err = fmt.Errorf("it has %d bytes", info.Size())
	}
	var body []byte
	if err == nil {
		body, err = os.ReadFile(path)
	}
	if err == nil {
		err = json.Unmarshal(body, &l)
	}
	if err != nil {
		return l, fmt.Errorf("%w: --lock (SHUFFLE_LOCK): read %.200q: %w; expected a file %s that a pull has written", ErrUsage, path, err, LockName)
	}
	var problem string
	switch {
	case l.V > lockVersion:
		problem = fmt.Sprintf("\"v\" is %d, expected %d: use the newer shuffle that wrote it", l.V, lockVersion)
	case l.V < 1 || l.Version < 1 || l.Run == "" || len(l.Datasets) == 0 || !strings.HasPrefix(l.Digest, digestPrefix):
		problem = fmt.Sprintf("expected a file %s that a pull has written, with v, version, run, datasets and digest", LockName)
	case l.Tag != "" && version.CheckTag(l.Tag) != nil:
		problem = fmt.Sprintf("%.80q is no tag", l.Tag)
	default:
		return l, nil
	}
	return l, fmt.Errorf("%w: --lock (SHUFFLE_LOCK) %.200q: %s", ErrUsage, path, problem)
}

// Find reads the version that was pulled. bucketName is the name of the store's bucket. ErrUsage
// means that the lock file belongs to another bucket. Any other error means that the version no
// longer exists.
func (l LockFile) Find(ctx context.Context, s *state.Store, bucketName string) (state.Version, error) {
	if l.Bucket != bucketName || l.Prefix != s.Layout.Prefix {
		return state.Version{}, fmt.Errorf("%w: the lock file is of prefix %.80q in bucket %.80q, this command reads prefix %.80q in bucket %.80q: name the other with --prefix, --bucket or --local",
			ErrUsage, l.Prefix, l.Bucket, s.Layout.Prefix, bucketName)
	}
	v, err := version.FindNumber(ctx, s, l.Version)
	if errors.Is(err, version.ErrNone) {
		return v, l.missing(ctx, s)
	}
	if err == nil && v.Run != l.Run {
		err = fmt.Errorf("%w: the lock file is of another bucket or folder: its version %d is of run %.60q, here version %d is of run %.60q", ErrUsage, l.Version, l.Run, v.Generation, v.Run)
	}
	return v, err
}

// missing returns why the version does not exist: it was removed, or was never published here.
func (l LockFile) missing(ctx context.Context, s *state.Store) error {
	latest, err := s.LatestVersion(ctx)
	switch {
	case err != nil && !errors.Is(err, bucket.ErrNotFound):
		return err
	case latest.Generation < l.Version:
		return fmt.Errorf("%w: the lock file is of another bucket or folder: its version %d was never published here, only versions up to %d", ErrUsage, l.Version, latest.Generation)
	}
	return fmt.Errorf("version %d of the lock file is not there any more: it had no tag, and --keep-versions (SHUFFLE_KEEP_VERSIONS) removes old versions; the latest is version %d, see shuffle versions",
		l.Version, latest.Generation)
}

const digestPrefix = "sha256:"

// digestRows is the SHA-256 of a line "file_name,etag" for each row of all datasets, sorted by
// bytes. It can be computed from the CSV files of the version. The rows are read in that order,
// except for a class that has the form of a frame's name.
func (p *puller) digestRows() (string, error) {
	datasets := slices.SortedFunc(maps.Keys(p.Version.Counts), func(a, b string) int { return cmp.Compare(a+"/", b+"/") })
	sum := sha256.New()
	for _, name := range datasets {
		// A hash accepts every write.
		sorted, err := p.eachLine(name, func(line string) { _, _ = sum.Write([]byte(line)) })
		if err != nil {
			return "", err
		}
		if !sorted {
			return p.digestSorted(datasets)
		}
	}
	return digestPrefix + hex.EncodeToString(sum.Sum(nil)), nil
}

// eachLine calls a function for each line of a dataset, and reports whether they were in order.
func (p *puller) eachLine(name string, each func(line string)) (sorted bool, err error) {
	sorted, last := true, ""
	for r, err := range p.parts.Rows(p.Store.Layout, name) {
		if err != nil {
			return false, fmt.Errorf("version %d: %w", p.Version.Generation, err)
		}
		line := r.File() + "," + r.ETag + "\n"
		sorted, last = sorted && last <= line, line
		each(line)
	}
	return sorted, nil
}

// digestSorted is digestRows with the lines of one dataset in memory.
func (p *puller) digestSorted(datasets []string) (string, error) {
	sum := sha256.New()
	for _, name := range datasets {
		var lines []string
		if _, err := p.eachLine(name, func(line string) { lines = append(lines, line) }); err != nil {
			return "", err
		}
		slices.Sort(lines)
		for _, line := range lines {
			_, _ = sum.Write([]byte(line)) // a hash accepts every write
		}
	}
	return digestPrefix + hex.EncodeToString(sum.Sum(nil)), nil
}

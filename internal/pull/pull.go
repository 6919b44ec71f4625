// Package pull downloads a dataset version to a folder that torchvision, Keras and Hugging Face can
// load directly.
//
// It may be killed at any moment and started again. Every file is written under a temporary name
// and renamed. An existing file is kept only when its content is proved to be the version's, by the
// MD5 in most ETags. All access to files uses an os.Root, so that neither the version's rows nor
// links in the folder cause a write outside the folder.
package pull

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// Bucket reads the objects of the datasets and the source images.
type Bucket interface {
	GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error)
}

// Options of a pull.
type Options struct {
	Store   *state.Store
	Bucket  Bucket
	Version state.Version
	// Tag is the tag that was given to find the version, or "". BucketName is the name of Bucket.
	// The lock file has both.
	Tag, BucketName string
	// Locked is the lock file that was used to find the version, or nil.
	Locked *LockFile
	// Datasets are the datasets to pull. When empty, it means all of the version, or those of the
	// lock file.
	Datasets []string
	// Dir is created when it is missing. An existing one must be empty or belong to an earlier
	// pull.
	Dir string
	// Delete removes the frames in Dir that the version does not have at that path.
	Delete bool
	// Parallel is the number of parallel downloads.
	Parallel int
	// Renumbered is called before the first change in Dir, when Dir has classes with other numbers
	// than the version. It may be nil.
	Renumbered func([]state.ClassNumber)
	// Progress is called with the number of the version's files that are present, from many
	// goroutines. It may be nil.
	Progress func(done, total int)
}

// Result is the result of a pull.
type Result struct {
	Version int64  `json:"version"`
	Tag     string `json:"tag,omitempty"` // the tag that was given to find the version
	Digest  string `json:"digest"`        // of the version's rows, as in the lock file
	Dir     string `json:"dir"`
	Frames  int    `json:"frames"`  // the version's frames in the pulled datasets
	Fetched int    `json:"fetched"` // downloaded now
	Present int    `json:"present"` // already present, with the right content
	Bytes   int64  `json:"bytes"`   // downloaded
	// Unproved counts the files whose ETag is not an MD5 (KMS, multipart uploads). Their content
	// cannot be checked against the ETag.
	Unproved int `json:"unproved"`
	// Classless counts the frames of the version outside class folders. They have no label and are
	// not pulled.
	Classless int `json:"classless"`
	Removed   int `json:"removed"`  // by Delete
	Leftover  int `json:"leftover"` // frames that Delete would have removed
	// ClassNumbers are the classes that had another number in Dir before.
	ClassNumbers []state.ClassNumber `json:"class_numbers,omitempty"`
	// Lost counts the files whose content is no longer available.
	Lost int `json:"lost"`
	// Failed are the lost files, by name: the first maxFailed that were found.
	Failed []Failure `json:"failed"`
}

// maxFailed bounds the memory of a pull of an old version, of which every file may be lost.
const maxFailed = 1000

// Failure is a file that could not be pulled.
type Failure struct {
	File    string `json:"file"`
	Problem string `json:"problem"`
}

// Whole reports whether the folder has all of the version's frames and no others.
func (r Result) Whole() bool { return r.Lost == 0 && r.Leftover == 0 }

// ErrUsage means that the given options are invalid.
var ErrUsage = errors.New("usage")

// Pull downloads a version. After an error of the bucket or of the disk, a second call continues.
func Pull(ctx context.Context, opt Options) (Result, error) {
	names, err := datasets(opt)
	if err != nil {
		return Result{}, err
	}
	p := &puller{Options: opt, names: names, wanted: map[dataset.Place]dataset.FrameSet{}}
	p.result = Result{Version: opt.Version.Generation, Tag: opt.Tag, Dir: opt.Dir, Failed: []Failure{}}
	if err := p.readRows(ctx); err != nil {
		return p.result, err
	}
	if err := os.MkdirAll(opt.Dir, dirMode); err != nil {
		return p.result, err
	}
	root, err := os.OpenRoot(opt.Dir)
	if err != nil {
		return p.result, err
	}
	defer root.Close() //nolint:errcheck // Nothing is written through it any more.
	p.root = root
	err = p.pull(ctx)
	return p.result, err
}

// datasets returns the names of the datasets to pull, sorted.
func datasets(opt Options) ([]string, error) {
	all := slices.Sorted(maps.Keys(opt.Version.Counts))
	asked, by := opt.Datasets, "--dataset"
	if opt.Locked != nil {
		asked, by = opt.Locked.Datasets, "dataset of the lock file:"
	}
	for _, name := range asked {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("%w: %s %.40q: version %d has %s", ErrUsage, by, name, opt.Version.Generation, strings.Join(all, ", "))
		}
	}
	if len(asked) > 0 {
		all = slices.Compact(slices.Sorted(slices.Values(asked)))
	}
	return all, nil
}

// puller is the state of one pull.
type puller struct {
	Options
	names  []string
	parts  version.Parts                      // the rows of the version
	wanted map[dataset.Place]dataset.FrameSet // the files that the folder should have
	root   *os.Root
	mark   mark
	notes  notes
	opaque atomic.Bool // an ETag was found that is not an MD5

	mu     sync.Mutex // guards result
	result Result
}

// readRows reads the rows of all datasets before the first write, and counts those to pull. The
// digest covers all of them.
func (p *puller) readRows(ctx context.Context) error {
	for name := range p.Version.Counts {
		if !dataset.ValidName(name) {
			return fmt.Errorf("version %d: %.60q is no name of a dataset", p.Version.Generation, name)
		}
	}
	c, err := version.Open(ctx, p.Store, p.Version)
	if err != nil {
		return err
	}
	if p.parts, err = c.All(ctx); err != nil {
		return err
	}
	if p.result.Digest, err = p.digestRows(); err != nil {
		return err
	}
	p.parts = p.parts.Only(p.names) // the rest of a large version is much memory
	for _, name := range p.names {
		for r, err := range p.parts.Rows(p.Store.Layout, name) {
			if err != nil {
				return err
			}
			if r.Place.Class == "" {
				p.result.Classless++
				continue
			}
			if p.wanted[r.Place] == nil {
				p.wanted[r.Place] = dataset.FrameSet{}
			}
			p.wanted[r.Place].Add(r.Frame)
			p.result.Frames++
		}
	}
	if p.Locked != nil && p.Locked.Digest != p.result.Digest {
		return fmt.Errorf("version %d is not what the lock file has any more: the digest of its rows is %s, in the lock file %.80q. Its objects in the bucket, or the lock file, were changed; nothing was downloaded",
			p.Version.Generation, p.result.Digest, p.Locked.Digest)
	}
	return nil
}

func (p *puller) pull(ctx context.Context) error {
	unlock, err := p.lock()
	if err != nil {
		return err
	}
	defer unlock()
	p.compareClasses()
	if err := p.begin(); err != nil {
		return err
	}
	if err := p.folders(); err != nil {
		return err
	}
	if err := p.fetchAll(ctx); err != nil {
		return err
	}
	slices.SortFunc(p.result.Failed, func(a, b Failure) int { return strings.Compare(a.File, b.File) })
	for _, name := range p.names {
		if err := p.sweepDataset(name); err != nil {
			return err
		}
	}
	if err := p.describe(); err != nil {
		return err
	}
	return p.end()
}

// fetchAll downloads the files folder by folder, so that only the rows of one folder of an episode
// are in memory.
func (p *puller) fetchAll(ctx context.Context) error {
	g, fetching := errgroup.WithContext(ctx)
	g.SetLimit(max(p.Parallel, 1))
	var done atomic.Int64
	total := p.result.Frames
	var unread error
	for _, name := range p.names {
		for r, err := range p.parts.Rows(p.Store.Layout, name) {
			if unread = err; err != nil || fetching.Err() != nil {
				break
			}
			if r.Place.Class == "" {
				continue
			}
			g.Go(func() error {
				if err := p.file(fetching, r); err != nil {
					return err
				}
				if n := done.Add(1); p.Progress != nil {
					p.Progress(int(n), total)
				}
				return nil
			})
		}
	}
	if err := cmp.Or(g.Wait(), unread); err != nil {
		return fmt.Errorf("pull version %d: %w; the same command goes on where it stopped", p.Version.Generation, err)
	}
	return ctx.Err() // files were skipped when ctx ended
}

// count adds to the result.
func (p *puller) count(add func(*Result)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	add(&p.result)
}

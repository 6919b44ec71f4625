package pull

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // S3's ETags are MD5s. It is not used for security.
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/version"
)

const (
	// All users may read the files, as is usual for folders of images.
	dirMode  = 0o755
	fileMode = 0o644
)

// file pulls one file of the version. A problem of its object is recorded in the result. An error
// ends the pull.
func (p *puller) file(ctx context.Context, r version.Row) error {
	name := r.File()
	there, err := p.present(name, r)
	if err != nil {
		return err
	}
	if there {
		p.count(func(res *Result) { res.Present++ })
		return nil
	}
	body, problem, err := p.get(ctx, r)
	if err != nil {
		return err
	}
	if problem != "" {
		p.count(func(res *Result) {
			if res.Lost++; len(res.Failed) < maxFailed {
				res.Failed = append(res.Failed, Failure{File: name, Problem: problem})
			}
		})
		return nil
	}
	sum := sumOf(body)
	if err := p.put(name, body); err != nil {
		return err
	}
	proved := sum == r.ETag || sum == r.SrcETag
	if !proved {
		err = p.notes.add(note{File: name, ETag: r.ETag, MD5: sum})
	}
	p.count(func(res *Result) {
		res.Fetched++
		res.Bytes += int64(len(body))
		if !proved {
			res.Unproved++
		}
	})
	return err
}

func sumOf(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// present reports whether the file exists with the row's content. Its MD5 must be the ETag of the
// image or of its source. For an ETag that is not an MD5 it must be the MD5 that was noted at the
// download.
func (p *puller) present(name string, r version.Row) (bool, error) {
	f, err := p.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()   //nolint:errcheck // It was only read.
	hash := md5.New() //nolint:gosec // see the import
	size, err := io.Copy(hash, f)
	if err != nil || size == 0 { // no image is empty, whatever the version says
		return false, err
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	return sum == r.ETag || sum == r.SrcETag || p.notes.has(note{File: name, ETag: r.ETag, MD5: sum}), nil
}

// get downloads the row's content from its key. If the object was moved or changed since, it
// downloads the source image. problem is why neither has the content.
func (p *puller) get(ctx context.Context, r version.Row) (body []byte, problem string, err error) {
	key := p.Store.Layout.Key(r.Place, r.Frame)
	body, problem, err = p.object(ctx, key, r.ETag)
	if problem == "" || err != nil {
		return body, problem, err
	}
	base := p.Version.Bases[r.Frame.Episode()]
	if base == "" {
		return nil, problem, nil // the version does not have the prefix of the source images
	}
	src := base + r.Frame.File()
	if err := p.Store.Layout.CheckSource(src, r.Frame); err != nil {
		return nil, "", fmt.Errorf("version %d: %w", p.Version.Generation, err)
	}
	body, other, err := p.object(ctx, src, cmp.Or(r.SrcETag, r.ETag))
	if other == "" || err != nil {
		return body, "", err
	}
	return nil, problem + "; nor is its source to be had: " + other, nil
}

// object downloads an object, which must have this ETag.
func (p *puller) object(ctx context.Context, key, etag string) (body []byte, problem string, err error) {
	c, err := p.Bucket.GetObject(ctx, key, "")
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		return nil, key + " is gone", nil
	case err != nil:
		return nil, "", err
	case c.ETag != etag:
		return nil, fmt.Sprintf("%s has changed since (ETag %s, the version's is %s)", key, c.ETag, etag), nil
	case len(c.Body) == 0:
		return nil, key + " is empty (0 bytes), which is no image", nil
	case sumOf(c.Body) == etag || p.opaque.Load():
		return c.Body, "", nil
	}
	// Either the ETag is not an MD5, or the body was damaged in transit. A second download shows
	// which, because damage differs each time.
	again, err := p.Bucket.GetObject(ctx, key, "")
	switch {
	case err != nil:
		return nil, "", err
	case again.ETag == etag && sumOf(again.Body) == etag:
		return again.Body, "", nil
	case again.ETag != etag || !bytes.Equal(again.Body, c.Body):
		return nil, "", fmt.Errorf("get %s: its content comes differently each time", key)
	}
	p.opaque.Store(true)
	return again.Body, "", nil
}

// put writes a file atomically, so that a reader sees the old content or the new content.
func (p *puller) put(name string, body []byte) error {
	return p.putFrom(name, bytes.NewReader(body))
}

func (p *puller) putFrom(name string, body io.Reader) error {
	temp := path.Join(tempDir, rand.Text())
	f, err := p.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err == nil {
		_, err = io.Copy(f, body)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return errors.Join(err, p.root.Remove(temp))
	}
	if err := p.root.Rename(temp, name); err != nil {
		return errors.Join(err, p.root.Remove(temp))
	}
	return nil
}

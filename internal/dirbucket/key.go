package dirbucket

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// maxKeyBytes is S3's limit ("Naming Amazon S3 objects").
const maxKeyBytes = 1024

var (
	errKeyLength  = errors.New("a key has 1 to 1,024 bytes")
	errKeyBytes   = errors.New("a key is UTF-8 without NUL")
	errKeySegment = errors.New(`a key in a folder has no empty, "." or ".." segment`)
	errKeyTemp    = errors.New("the folder " + tempDir + " is the bucket's own")
	errKeyBelow   = errors.New("a folder can't hold a key and others below it")
	errNoObject   = errors.New("no such object")
)

// checkKey returns why a key cannot be a file below the folder.
func checkKey(key string) error {
	if key == "" || len(key) > maxKeyBytes {
		return errKeyLength
	}
	if strings.IndexByte(key, 0) >= 0 || !utf8.ValidString(key) {
		return errKeyBytes
	}
	// A file system may be case-insensitive.
	if first, _, _ := strings.Cut(key, "/"); strings.EqualFold(first, tempDir) {
		return errKeyTemp
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return errKeySegment
		}
	}
	return nil
}

// isAbsent recognises the errors for a key without a file: nothing exists, or a file exists where
// the key has a folder.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, errNoObject)
}

// fail adds S3's code to an error of the file system. An error that already has a code keeps it.
func fail(op, key string, err error) *bucket.Error {
	e := &bucket.Error{Op: op, Key: key, Err: err}
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e.Code = bucket.CodeTransport
	case isAbsent(err):
		e.Code, e.Status = bucket.CodeNoSuchKey, http.StatusNotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ELOOP),
		// os.Root does not export this error.
		strings.Contains(err.Error(), "path escapes from parent"):
		e.Code, e.Status = bucket.CodeAccessDenied, http.StatusForbidden
	case errors.Is(err, syscall.ENAMETOOLONG):
		e.Code, e.Status = bucket.CodeInvalidKey, http.StatusBadRequest
	default:
		e.Code, e.Status = bucket.CodeInternal, http.StatusInternalServerError
	}
	return e
}

// check is the first step of every operation on a key.
func (b *Bucket) check(ctx context.Context, op, key string) error {
	if err := ctx.Err(); err != nil {
		return fail(op, key, err)
	}
	if err := checkKey(key); err != nil {
		return invalidKey(op, key, err)
	}
	return b.here(op, key)
}

func invalidKey(op, key string, err error) *bucket.Error {
	return &bucket.Error{Op: op, Key: key, Code: bucket.CodeInvalidKey, Status: http.StatusBadRequest, Err: err}
}

func precondition(op, key, reason string) *bucket.Error {
	return &bucket.Error{Op: op, Key: key, Code: bucket.CodePrecondition, Status: http.StatusPreconditionFailed,
		Err: errors.New(reason)}
}

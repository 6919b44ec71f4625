// Package bucket holds the values that the bucket adapters (s3bucket, dirbucket) and the stages
// exchange, in S3's own words. It declares no interface: each stage declares the one to four calls that
// it makes, and the contract of all of them stands in buckettest.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxDeleteObjects is the number of keys that one DeleteObjects request takes (S3 API reference).
const MaxDeleteObjects = 1000

// MaxListKeys is the number of keys that one page of a listing holds (S3 API reference).
const MaxListKeys = 1000

// Object is one key of a listing. ETag stands without its quotes.
type Object struct {
	Key  string
	ETag string
	Size int64 // bytes; -1 in a listing of a store that does not give it
	// StorageClass is S3's name of it in a listing; empty for the standard class, and outside S3.
	StorageClass string
}

// S3's storage classes whose objects cannot be read or copied before they are restored. (GLACIER_IR
// is not one of them.)
const (
	ClassGlacier     = "GLACIER"
	ClassDeepArchive = "DEEP_ARCHIVE"
)

// IsArchived reports whether the object cannot be read or copied because of its storage class. A
// listing does not report whether such an object has been restored.
func (o Object) IsArchived() bool {
	return o.StorageClass == ClassGlacier || o.StorageClass == ClassDeepArchive
}

// Content is an object that was read whole.
type Content struct {
	Body []byte
	ETag string
	// Age is how long ago the object was written at least, both moments by the store's own clock (S3: Date less
	// Last-Modified, less the second that rounding may add). It is negative when the store did not say.
	Age time.Duration
}

// ListInput names what ListObjects lists. Keys come in the order of their UTF-8 bytes.
type ListInput struct {
	Prefix string
	// Delimiter, when set, rolls up keys that contain it after Prefix into Page.Prefixes.
	Delimiter string
	// StartAfter, when set, leaves out the keys up to and with this one. It need not exist.
	StartAfter string
	// Token is the Next of the page before; empty for the first page.
	Token string
	// MaxKeys bounds the page; 0 means MaxListKeys.
	MaxKeys int
	// KeysOnly leaves out the ETags where they are not free: a folder must read each file for them.
	KeysOnly bool
}

// Page is one answer to ListObjects. Next is empty on the last page.
type Page struct {
	Objects  []Object
	Prefixes []string
	Next     string
	// Skipped are the entries of a folder that are no objects; S3 has none. They do not count for
	// MaxKeys.
	Skipped []Skipped
}

// Skipped is an entry of a folder that is not an object although its name could be a key.
type Skipped struct {
	Key  string
	Kind string // in plain words: KindLink, KindFolder, …
}

// Kinds of skipped entries.
const (
	KindLink   = "a symbolic link"
	KindFolder = "an empty folder"
	KindPipe   = "a named pipe"
	KindSocket = "a socket"
	KindDevice = "a device"
)

// Condition of a PutObject. The zero value writes whatever is there.
type Condition struct {
	// IfMatch writes only over an object of this ETag.
	IfMatch string
	// IfNoneMatch writes only where no object is ("If-None-Match: *").
	IfNoneMatch bool
}

// Sentinels for what code branches on; an *Error matches them by its code.
var (
	// ErrNotFound: no such key (or no such bucket).
	ErrNotFound = errors.New("not found")
	// ErrPrecondition: the condition of a write or copy did not hold (412), or two writes raced (409).
	ErrPrecondition = errors.New("precondition failed")
	// ErrNotModified: a conditional read found the ETag that the caller has already (304).
	ErrNotModified = errors.New("not modified")
)

// S3's error codes that the adapters map their errors to.
const (
	CodeNoSuchKey    = "NoSuchKey"
	CodeNoSuchBucket = "NoSuchBucket"
	CodePrecondition = "PreconditionFailed"
	CodeConflict     = "ConditionalRequestConflict"
	CodeNotModified  = "NotModified"
	CodeAccessDenied = "AccessDenied"
	CodeSlowDown     = "SlowDown"
	CodeInternal     = "InternalError"
	CodeInvalidKey   = "InvalidKey"
	// CodeTransport is for requests without an answer: a cut connection, a time-out. The write may have
	// been applied.
	CodeTransport = "Transport"
	// CodeBadAnswer is for answers that are not of the kind that was asked for, such as a page of a
	// proxy. A write may have been applied.
	CodeBadAnswer = "BadAnswer"
)

// Error is how a bucket adapter reports a failed call. Code is S3's error code (also from a folder), Status
// the HTTP status, 0 without one.
type Error struct {
	Op     string // S3's name of the call: "CopyObject"
	Key    string
	Code   string
	Status int
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s %s: %s: %v", e.Op, e.Key, e.Code, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Is matches the sentinels of this package.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return e.Code == CodeNoSuchKey || e.Code == CodeNoSuchBucket
	case ErrPrecondition:
		return e.Code == CodePrecondition || e.Code == CodeConflict
	case ErrNotModified:
		return e.Code == CodeNotModified
	}
	return false
}

// AtMost is the lister with at most n requests at a time; those beyond wait.
func AtMost(n int, l Lister) Lister { return &limited{l, make(chan struct{}, max(n, 1))} }

type limited struct {
	Lister
	under chan struct{}
}

func (l *limited) ListObjects(ctx context.Context, in ListInput) (Page, error) {
	select {
	case l.under <- struct{}{}:
	case <-ctx.Done():
		return Page{}, context.Cause(ctx)
	}
	defer func() { <-l.under }()
	return l.Lister.ListObjects(ctx, in)
}

// Package bucket has the values that the bucket adapters (s3bucket, dirbucket) and the stages
// exchange, in S3's own terms. It declares no interface for the stages. Each stage declares the one
// to four calls that it makes. The contract of all calls is in buckettest.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxDeleteObjects is the largest number of keys in one DeleteObjects request (S3 API reference).
const MaxDeleteObjects = 1000

// MaxListKeys is the largest number of keys in one page of a listing (S3 API reference).
const MaxListKeys = 1000

// Object is one key of a listing. ETag has no quotes.
type Object struct {
	Key  string
	ETag string
	Size int64 // bytes; -1 when a store's listing does not have it
	// StorageClass is the name in S3's listing. It is empty for the standard class, and outside S3.
	StorageClass string
}

// S3's storage classes whose objects must be restored before they can be read or copied.
// (GLACIER_IR is not one of them.)
const (
	ClassGlacier     = "GLACIER"
	ClassDeepArchive = "DEEP_ARCHIVE"
)

// IsArchived reports whether the object cannot be read or copied because of its storage class. A
// listing does not report whether such an object has been restored.
func (o Object) IsArchived() bool {
	return o.StorageClass == ClassGlacier || o.StorageClass == ClassDeepArchive
}

// Content is an object with its whole body.
type Content struct {
	Body []byte
	ETag string
	// Age is the least time since the object was written, by the store's own clock. In S3 it is
	// Date minus Last-Modified, minus the second that rounding may add. It is negative when it is
	// unknown.
	Age time.Duration
}

// ListInput is the input of ListObjects. Keys are listed in the order of their UTF-8 bytes.
type ListInput struct {
	Prefix string
	// Delimiter, when set, rolls up keys that contain it after Prefix into Page.Prefixes.
	Delimiter string
	// StartAfter, when set, skips the keys up to and including this one. The key need not exist.
	StartAfter string
	// Token is the Next of the previous page. It is empty for the first page.
	Token string
	// MaxKeys limits the page; 0 means MaxListKeys.
	MaxKeys int
	// KeysOnly omits the ETags when they are expensive: a folder must read each file for them.
	KeysOnly bool
}

// Page is one answer to ListObjects. Next is empty on the last page.
type Page struct {
	Objects  []Object
	Prefixes []string
	Next     string
	// Skipped are the entries of a folder that are not objects. S3 has none. They do not count for
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

// Condition of a PutObject. With the zero value the write is unconditional.
type Condition struct {
	// IfMatch writes only over an object with this ETag.
	IfMatch string
	// IfNoneMatch writes only when the key has no object ("If-None-Match: *").
	IfNoneMatch bool
}

// Sentinels for the errors on which code branches. An *Error matches them by its code.
var (
	// ErrNotFound means that the key or the bucket does not exist.
	ErrNotFound = errors.New("not found")
	// ErrPrecondition means that the condition of a write or copy was false (412), or that two
	// writes raced (409).
	ErrPrecondition = errors.New("precondition failed")
	// ErrNotModified means that a conditional read found the ETag that the caller already has
	// (304).
	ErrNotModified = errors.New("not modified")
)

// S3's error codes. The adapters map their errors to these.
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
	// CodeTransport is for requests without an answer, after a broken connection or a timeout. The
	// write may have been applied.
	CodeTransport = "Transport"
	// CodeBadAnswer is for answers of an unexpected kind, such as a page of a proxy. A write may
	// have been applied.
	CodeBadAnswer = "BadAnswer"
)

// Error is a failed call of a bucket adapter. Code is S3's error code, also from a folder. Status
// is the HTTP status, or 0 without one.
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

// AtMost returns the lister with at most n requests at a time. Further requests wait.
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

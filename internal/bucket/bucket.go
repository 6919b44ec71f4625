// Package bucket holds the values that the bucket adapters (s3bucket, dirbucket) and the stages
// exchange, in S3's own words. It declares no interface: each stage declares the one to four calls that
// it makes, and the contract of all of them stands in buckettest.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"iter"
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
	Size int64 // bytes
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
}

// Page is one answer to ListObjects. Next is empty on the last page.
type Page struct {
	Objects  []Object
	Prefixes []string
	Next     string
}

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

// Lister is what Pages needs.
type Lister interface {
	ListObjects(ctx context.Context, in ListInput) (Page, error)
}

// Pages walks a listing to its end. The first error ends it: what came before an error is a part, never the
// whole.
func Pages(ctx context.Context, b Lister, in ListInput) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for {
			page, err := b.ListObjects(ctx, in)
			if err != nil {
				yield(Page{}, fmt.Errorf("list %s: %w", in.Prefix, err))
				return
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			in.Token = page.Next
		}
	}
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

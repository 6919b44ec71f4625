// Package open chooses the adapters by URL. It is the one place that knows them all.
package open

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/s3bucket"
	"github.com/angel-nft/google-shuffle/internal/secret"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// Bucket is all that the stages ask of a bucket between them. buckettest holds its contract.
type Bucket interface {
	ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error)
	GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error)
	OpenObject(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error)
	HeadObject(ctx context.Context, key string) (bucket.Object, error)
	PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (etag string, err error)
	PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (etag string, err error)
	CopyObject(ctx context.Context, src, dst, ifMatch string) (etag string, err error)
	DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error)
}

// Queue is all that the stages ask of a queue between them. queuetest holds its contract.
type Queue interface {
	SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error)
	ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error)
	DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error)
	ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error)
	GetQueueAttributes(ctx context.Context) (queue.Attributes, error)
}

// Sheets reads worksheets. sheettest holds its contract.
type Sheets interface {
	Values(ctx context.Context, spreadsheetID, gid string) (sheet.Values, error)
}

// ErrURL says that a URL names no adapter.
var ErrURL = errors.New("unknown URL")

// Opener opens ports. AWS is asked for its settings once, and only when something of AWS is opened. Close gives back what
// was opened.
type Opener struct {
	// Connections is the number of requests at a time that the bucket is opened for.
	Connections int
	// Patient waits for services that do not listen yet, as a service does; else a refused connection is an error at once.
	Patient bool
	// AWSOptions are further settings of AWS, such as a middleware that notes the calls.
	AWSOptions []func(*awsconfig.LoadOptions) error

	aws     func(context.Context) (aws.Config, error)
	closers []io.Closer
}

// New is an Opener for so many requests at a time.
func New(connections int) *Opener {
	o := &Opener{Connections: connections}
	var once sync.Once
	var cfg aws.Config
	var err error
	o.aws = func(ctx context.Context) (aws.Config, error) {
		once.Do(func() { cfg, err = loadAWS(ctx, o.AWSOptions) })
		return cfg, err
	}
	return o
}

// defaultRegion is the bucket's of the series, where neither environment nor profile names one.
const defaultRegion = "us-west-2"

func loadAWS(ctx context.Context, further []func(*awsconfig.LoadOptions) error) (aws.Config, error) {
	if err := checkAWSEndpoints(); err != nil {
		return aws.Config{}, err
	}
	// The SDK's own warnings go to stderr past the program's log. What they are about shows in its errors, too.
	options := append([]func(*awsconfig.LoadOptions) error{
		awsconfig.WithDefaultRegion(defaultRegion), awsconfig.WithLogger(logging.Nop{}),
	}, further...)
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, fmt.Errorf("read the settings of AWS (AWS_REGION, AWS_PROFILE, ~/.aws): %w", err)
	}
	return cfg, nil
}

// Close gives everything back.
func (o *Opener) Close() error {
	var all []error
	for _, c := range o.closers {
		all = append(all, c.Close())
	}
	o.closers = nil
	return errors.Join(all...)
}

// Bucket opens s3://NAME or file:///DIR. names are those that the bucket has in a sheet's base URI.
func (o *Opener) Bucket(ctx context.Context, raw string) (b Bucket, names []string, err error) {
	u, err := bucketURL(raw)
	if err != nil {
		return nil, nil, err
	}
	if u.Scheme == "s3" {
		cfg, err := o.aws(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("open bucket %s: %w", raw, err)
		}
		return s3bucket.New(o.hastyS3(s3bucket.NewClient(cfg, o.Connections)), u.Host), []string{u.Host}, nil
	}
	dir, err := dirbucket.Open(filePath(u))
	if err != nil {
		return nil, nil, fmt.Errorf("open bucket %s: %w", raw, err)
	}
	o.closers = append(o.closers, dir)
	return dir, []string{path.Base(u.Path)}, nil
}

// CreateBucket creates the bucket of an s3:// URL if there is none; a folder is created when it is opened.
func (o *Opener) CreateBucket(ctx context.Context, raw string) error {
	u, err := bucketURL(raw)
	if err != nil || u.Scheme != "s3" {
		return err
	}
	cfg, err := o.aws(ctx)
	if err != nil {
		return err
	}
	return s3bucket.Create(ctx, o.hastyS3(s3bucket.NewClient(cfg, o.Connections)), u.Host, cfg.Region)
}

// bucketURL lets s3://NAME and file:///DIR through.
func bucketURL(raw string) (*url.URL, error) {
	const expected = "s3://NAME or file:///DIR"
	u, err := parse("bucket", raw, expected)
	if err != nil {
		return nil, err
	}
	isS3 := u.Scheme == "s3" && u.Host != "" && strings.Trim(u.Path, "/") == ""
	if !isS3 && (u.Scheme != "file" || filePath(u) == "") {
		return nil, unknown("bucket", raw, expected)
	}
	return u, nil
}

func parse(what, raw, expected string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, unknown(what, raw, expected)
	}
	return u, nil
}

func unknown(what, raw, expected string) error {
	return fmt.Errorf("%w: %s %s (--%s, SHUFFLE_%s): expected %s", ErrURL, what, secret.Describe(raw), what, strings.ToUpper(what), expected)
}

// filePath is the path of a file URL, "" when it has a host: file://DIR is a slip of the hand.
func filePath(u *url.URL) string {
	if u.Host != "" || u.Path == "" || u.Path == "/" {
		return ""
	}
	p := u.Path
	if runtime.GOOS == "windows" {
		p = strings.TrimPrefix(p, "/")
	}
	return filepath.FromSlash(p)
}

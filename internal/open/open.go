// Package open chooses the adapters by URL. Only this package knows all of them.
package open

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
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

// Bucket has the calls of all stages. Its contract is in buckettest.
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

// Queue has the calls of all stages. Its contract is in queuetest.
type Queue interface {
	SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error)
	ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error)
	DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error)
	ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error)
	GetQueueAttributes(ctx context.Context) (queue.Attributes, error)
}

// Sheets reads worksheets. Its contract is in sheettest.
type Sheets interface {
	Values(ctx context.Context, spreadsheetID, gid string) (sheet.Values, error)
}

// ErrURL means that a URL names no adapter.
var ErrURL = errors.New("unknown URL")

// Opener opens ports. It loads the settings of AWS once, and only when a port of AWS is opened.
// Close closes all ports.
type Opener struct {
	// Connections is the number of requests at a time that the bucket is opened for.
	Connections int
	// Patient means that the opener waits for services that do not listen yet. Long-running
	// services set it. Otherwise a refused connection is an error at once.
	Patient bool
	// AWSOptions are further settings of AWS, such as a middleware that records the calls.
	AWSOptions []func(*awsconfig.LoadOptions) error

	aws     func(context.Context) (aws.Config, error)
	closers []io.Closer
}

// New returns an Opener for a number of parallel requests.
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

// defaultRegion is the region of the series' bucket. It is used when neither the environment nor a
// profile names a region.
const defaultRegion = "us-west-2"

func loadAWS(ctx context.Context, further []func(*awsconfig.LoadOptions) error) (aws.Config, error) {
	for _, name := range awsEndpoints {
		raw := os.Getenv(name)
		// Without http:// the SDK takes the host for a scheme, and its errors do not explain the mistake.
		if u, err := url.Parse(raw); raw != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			return aws.Config{}, fmt.Errorf("%w: %s: found %s, expected an address that begins with http:// or https://, such as http://localhost:4566", ErrURL, name, secret.Describe(raw))
		}
	}
	// The SDK writes warnings to stderr, not to the program's log. They are off, because its errors
	// contain the same facts.
	options := append([]func(*awsconfig.LoadOptions) error{
		awsconfig.WithDefaultRegion(defaultRegion), awsconfig.WithLogger(logging.Nop{}),
	}, further...)
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, fmt.Errorf("read the settings of AWS (AWS_REGION, AWS_PROFILE, ~/.aws): %w", err)
	}
	return cfg, nil
}

// Close closes everything that was opened.
func (o *Opener) Close() error {
	var all []error
	for _, c := range o.closers {
		all = append(all, c.Close())
	}
	o.closers = nil
	return errors.Join(all...)
}

// Bucket opens s3://NAME or file:///DIR. names are the bucket's names in a sheet's base URI.
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

// CreateBucket creates the bucket of an s3:// URL if it does not exist. A folder is created when it
// is opened.
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

// bucketURL accepts s3://NAME and file:///DIR.
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

// filePath returns the path of a file URL. It returns "" when the URL has a host, because
// file://DIR is a typing error.
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

// awsEndpoints are the variables that change where the SDK sends its requests.
var awsEndpoints = []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL_STS"}

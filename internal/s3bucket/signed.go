package s3bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyauth "github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/encoding/httpbinding"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/angel-nft/google-shuffle/internal/awsclient"
)

// endpoint is the address of a bucket's signed requests, and their signing.
type endpoint struct {
	client  *awsclient.SigningClient
	retryer aws.RetryerV2
	url     *url.URL // of the bucket
	header  http.Header
}

// resolveEndpoint calls the SDK's resolver with the same options as the SDK's own calls.
func resolveEndpoint(o s3.Options, bucketName string) (*endpoint, error) {
	resolved, err := o.EndpointResolverV2.ResolveEndpoint(context.Background(), s3.EndpointParameters{
		Bucket: &bucketName, Region: optional(o.Region), Endpoint: o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		Accelerate:   &o.UseAccelerate, ForcePathStyle: &o.UsePathStyle, UseArnRegion: &o.UseARNRegion,
		DisableMultiRegionAccessPoints: &o.DisableMultiRegionAccessPoints,
	})
	if err != nil {
		return nil, fmt.Errorf("resolve the endpoint of bucket %s: %w", bucketName, err)
	}
	schemes, _ := smithyauth.GetAuthOptions(&resolved.Properties)
	// This is the name in the SDK's rules.
	i := slices.IndexFunc(schemes, func(s *smithyauth.Option) bool { return s.SchemeID == "sigv4" })
	if i < 0 {
		return nil, fmt.Errorf("bucket %s: the endpoint %s takes no signatures of version 4", bucketName, resolved.URI.Host)
	}
	service, _ := smithyhttp.GetSigV4SigningName(&schemes[i].SignerProperties)
	region, _ := smithyhttp.GetSigV4SigningRegion(&schemes[i].SignerProperties)
	retryer, ok := o.Retryer.(aws.RetryerV2)
	if !ok {
		retryer = newRetryer()
	}
	header := resolved.Headers.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("User-Agent", "google-shuffle aws-sdk-go-v2/"+aws.SDKVersion)
	header.Set("Accept-Encoding", "identity") // else the transport asks for gzip
	return &endpoint{
		client: &awsclient.SigningClient{
			HTTP: o.HTTPClient, Signer: o.HTTPSignerV4, Credentials: o.Credentials, Service: service, Region: region,
		},
		retryer: retryer, url: &resolved.URI, header: header,
	}, nil
}

// request has the parts that differ between requests.
type request struct {
	method string
	key    string
	query  string
	header http.Header
}

// bodies are buffers for the answers to signed requests. A season's listings are a thousand pages of
// 0.4 MB each.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// send sends a signed request once. read gets the body of an answer with a success status, and must
// not keep it.
func (e *endpoint) send(ctx context.Context, in request, read func(body []byte) error) error {
	r, err := http.NewRequestWithContext(ctx, in.method, "", nil)
	if err != nil {
		return err
	}
	u := *e.url
	u.RawPath = strings.TrimSuffix(u.EscapedPath(), "/") + "/" + escapePath(in.key)
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + in.key
	u.RawQuery = in.query
	r.URL, r.Host = &u, u.Host
	for name, values := range e.header {
		r.Header[name] = values
	}
	for name, values := range in.header {
		r.Header[name] = values
	}
	answer, err := e.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // It was only read.
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	_, err = body.ReadFrom(answer.Body)
	switch {
	case err != nil:
		err = fmt.Errorf("read answer: %w", err)
	case answer.StatusCode < http.StatusMultipleChoices:
		err = read(body.Bytes())
	default:
		err = decodeError(body.Bytes())
	}
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		if answer.StatusCode < http.StatusMultipleChoices {
			// S3 sends the status before it has done the work. Like the SDK, this counts such an
			// error as a 500.
			answer.StatusCode = http.StatusInternalServerError
		}
		if refused.ErrorCode() == "RequestTimeTooSkewed" {
			err = e.client.AdjustClock(r, answer, err)
		}
	}
	// AWS's support asks for both IDs.
	err = fmt.Errorf("HostID: %s, %w", answer.Header.Get("X-Amz-Id-2"), err)
	return &awshttp.ResponseError{
		RequestID:     answer.Header.Get("X-Amz-Request-Id"),
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: err},
	}
}

// escapePath encodes every character except the slash and RFC 3986's unreserved ones. S3 decodes a
// plus to a space.
func escapePath(key string) string { return httpbinding.EscapePath(key, false) }

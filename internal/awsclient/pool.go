package awsclient

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Pool has the number of connections that a client keeps, and its timeouts.
type Pool struct {
	// Connections is how many connections to a host are kept open. The SDK keeps ten, so most
	// requests of a busy process would open a new one.
	Connections int
	// AnswerTimeout is how long an answer may take to begin.
	AnswerTimeout time.Duration
	// StallTimeout is how long an answer may pause. See LimitStalls.
	StallTimeout time.Duration
}

// HTTPClient applies these settings to client, or to a new HTTP client of the SDK. It does not
// change a client that is not of the SDK's type. The further settings are applied last.
func (p Pool) HTTPClient(client aws.HTTPClient, further ...func(*http.Transport)) aws.HTTPClient {
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	buildable, ok := client.(*awshttp.BuildableClient)
	if !ok {
		return client
	}
	return buildable.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, p.Connections)
		// A redirect by region adds a second host.
		t.MaxIdleConns = max(t.MaxIdleConns, 2*p.Connections)
		t.MaxConnsPerHost = max(t.MaxConnsPerHost, 2*p.Connections)
		t.ResponseHeaderTimeout = p.AnswerTimeout
		LimitStalls(t, p.StallTimeout)
		for _, set := range further {
			set(t)
		}
	})
}

package awsclient

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Pool says how many connections a client keeps and how long it waits for an answer.
type Pool struct {
	// Connections to a host are kept open. The SDK keeps ten: most requests of a busy process would
	// open a new connection.
	Connections int
	// AnswerTimeout is how long an answer may take to begin.
	AnswerTimeout time.Duration
	// StallTimeout is how long an answer may pause. See LimitStalls.
	StallTimeout time.Duration
}

// HTTPClient is the SDK's HTTP client with these settings, or client with them. A client of another
// kind than the SDK's own stays as it is. The further settings are applied last.
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
		t.MaxIdleConns = max(t.MaxIdleConns, 2*p.Connections) // a redirect by region adds a second host
		t.MaxConnsPerHost = max(t.MaxConnsPerHost, 2*p.Connections)
		t.ResponseHeaderTimeout = p.AnswerTimeout
		LimitStalls(t, p.StallTimeout)
		for _, set := range further {
			set(t)
		}
	})
}

package open

import (
	"fmt"
	"net/url"
	"os"

	"github.com/angel-nft/google-shuffle/internal/secret"
)

// checkEndpoint refuses an address that cannot be used. Without http:// the libraries take the host
// for a scheme, and their errors do not explain the mistake. where names the setting.
func checkEndpoint(where, raw string) error {
	u, err := url.Parse(raw)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return nil
	}
	return fmt.Errorf("%w: %s: found %s, expected an address that begins with http:// or https://, such as http://localhost:4566", ErrURL, where, secret.Describe(raw))
}

// awsEndpoints are the variables that change where the SDK sends its requests.
var awsEndpoints = []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL_STS"}

func checkAWSEndpoints() error {
	for _, name := range awsEndpoints {
		if raw := os.Getenv(name); raw != "" {
			if err := checkEndpoint(name, raw); err != nil {
				return err
			}
		}
	}
	return nil
}

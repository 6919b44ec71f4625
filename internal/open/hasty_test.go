package open

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// A refused connection is retried only when the service has answered before, or by a service that
// waits.
func TestHasty(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	attempt := func(r aws.Retryer, err error) {
		release, tokenErr := r.(aws.RetryerV2).GetAttemptToken(t.Context())
		if tokenErr != nil {
			t.Fatal(tokenErr)
		}
		_ = release(err) // gives the error back
	}
	if patient := (&Opener{Patient: true}).retryer(retry.NewStandard()); !patient.IsErrorRetryable(refused) {
		t.Error("a patient opener does not retry")
	}
	for _, tc := range []struct {
		name    string
		answer  error
		retries bool
	}{
		{"success", nil, true},
		{"an error of the service", errors.New("AccessDenied"), true},
		{"refused", refused, false},
		{"a proxy that is no address", errors.New(`request send failed: invalid proxy address "x"`), false},
		{"no certificate that is trusted", &tls.CertificateVerificationError{Err: errors.New("x509")}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := (&Opener{}).retryer(retry.NewStandard())
			if r.IsErrorRetryable(refused) {
				t.Error("retried before any answer")
			}
			attempt(r, tc.answer)
			if got := r.IsErrorRetryable(refused); got != tc.retries {
				t.Errorf("afterwards retried: %v, expected %v", got, tc.retries)
			}
		})
	}
}

package awsclient_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkretry "github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/angel-nft/google-shuffle/internal/awsclient"
)

var errLater = errors.New("later")

// asked is a retryer that notes what it is asked, and waits a second.
type asked struct {
	aws.RetryerV2
	attempts, retries []error // as their tokens were given back
	refuse            error
}

func (a *asked) MaxAttempts() int                { return 3 }
func (a *asked) IsErrorRetryable(err error) bool { return errors.Is(err, errLater) }
func (a *asked) RetryDelay(n int, _ error) (time.Duration, error) {
	return time.Duration(n) * time.Second, nil
}

func (a *asked) GetAttemptToken(context.Context) (func(error) error, error) {
	return func(err error) error { a.attempts = append(a.attempts, err); return err }, nil
}

func (a *asked) GetRetryToken(context.Context, error) (func(error) error, error) {
	return func(err error) error { a.retries = append(a.retries, err); return err }, a.refuse
}

// TestRetry: the retryer decides, and hears of each attempt's outcome.
func TestRetry(t *testing.T) {
	final := errors.New("refused")
	for name, test := range map[string]struct {
		outcomes []error
		attempts int
		want     error
		took     time.Duration
	}{
		"success":               {[]error{nil}, 1, nil, 0},
		"success after two":     {[]error{errLater, errLater, nil}, 3, nil, 3 * time.Second},
		"refused":               {[]error{final}, 1, final, 0},
		"refused in the second": {[]error{errLater, final}, 2, final, time.Second},
		"never":                 {[]error{errLater, errLater, errLater, nil}, 3, errLater, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, n, begun := &asked{}, 0, time.Now()
				err := awsclient.Retry(t.Context(), a, func() error { n++; return test.outcomes[n-1] })
				if !errors.Is(err, test.want) || n != test.attempts || time.Since(begun) != test.took {
					t.Errorf("%v after %d attempts in %s, want %v after %d in %s", err, n, time.Since(begun), test.want, test.attempts, test.took)
				}
				if !slices.Equal(a.attempts, test.outcomes[:n]) || !slices.Equal(a.retries, test.outcomes[1:n]) {
					t.Errorf("tokens given back with %v and %v, want %v", a.attempts, a.retries, test.outcomes[:n])
				}
				if _, exceeded := errors.AsType[*sdkretry.MaxAttemptsError](err); exceeded != (name == "never") {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestRetryEnds: with the context, during an attempt and between two; and when the retryer has no
// token left.
func TestRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		err := awsclient.Retry(ctx, &asked{}, func() error { n++; return errLater })
		if canceled, ok := errors.AsType[*aws.RequestCanceledError](err); !ok || !errors.Is(canceled, context.DeadlineExceeded) || n != 1 {
			t.Errorf("between two attempts: %v after %d", err, n)
		}
		err = awsclient.Retry(ctx, &asked{}, func() error { n++; return errLater })
		if !errors.Is(err, errLater) || n != 2 {
			t.Errorf("in an attempt: %v after %d", err, n)
		}
		empty := errors.New("no token")
		err = awsclient.Retry(t.Context(), &asked{refuse: empty}, func() error { n++; return errLater })
		if !errors.Is(err, errLater) || !errors.Is(err, empty) || n != 3 {
			t.Errorf("without a token: %v after %d", err, n)
		}
	})
}

package awsclient

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkretry "github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/angel-nft/google-shuffle/internal/retry"
)

// Retry makes attempts until one succeeds or the retryer stops. It uses the retryer in the same way
// as the SDK's own calls.
func Retry(ctx context.Context, retryer aws.RetryerV2, attempt func() error) error {
	releaseRetry := func(error) error { return nil }
	for n := 1; ; n++ {
		releaseAttempt, err := retryer.GetAttemptToken(ctx)
		if err != nil {
			return err
		}
		failed := attempt()
		// The errors of the tokens add nothing to the attempt's error.
		_, _ = releaseRetry(failed), releaseAttempt(failed)
		if failed == nil || ctx.Err() != nil || !retryer.IsErrorRetryable(failed) {
			return failed
		}
		if most := retryer.MaxAttempts(); most > 0 && n >= most {
			return &sdkretry.MaxAttemptsError{Attempt: n, Err: failed}
		}
		if releaseRetry, err = retryer.GetRetryToken(ctx, failed); err != nil {
			return errors.Join(failed, err)
		}
		delay, err := retryer.RetryDelay(n, failed)
		if err != nil {
			return errors.Join(failed, err)
		}
		if err := retry.Sleep(ctx, delay); err != nil {
			return &aws.RequestCanceledError{Err: err}
		}
	}
}

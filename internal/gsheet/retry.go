package gsheet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/auth"
	"google.golang.org/api/googleapi"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// The quota is 60 reads a minute and starts anew each minute (https://developers.google.com/workspace/sheets/api/limits),
// so that the waits for it add up to more than a minute. A service that fails is not worth as long.
const (
	tries        = 6
	limit        = 90 * time.Second // of all tries of one request together
	tryLimit     = 60 * time.Second // of one
	quotaWait    = 2 * time.Second  // before the second try; twice that before each further one
	trouble      = 500 * time.Millisecond
	forbiddenFor = "rateLimitExceeded userRateLimitExceeded RATE_LIMIT_EXCEEDED" // reasons of a 403 that is a 429
)

// retry tries a request until it succeeds, fails for good, or has been tried long enough: then the error wraps
// sheet.ErrUnavailable.
func retry[T any](ctx context.Context, request func(context.Context) (T, error)) (T, error) {
	deadline := time.Now().Add(limit)
	for try := 1; ; try++ {
		answer, err := once(ctx, request)
		if err == nil || ctx.Err() != nil {
			return answer, err
		}
		wait, again := pause(err, try)
		if !again {
			return answer, err
		}
		if try == tries || time.Now().Add(wait).After(deadline) {
			return answer, fmt.Errorf("%w: tried %d times: %w", sheet.ErrUnavailable, try, err)
		}
		if err := sleep(ctx, wait); err != nil {
			return answer, err
		}
	}
}

func once[T any](ctx context.Context, request func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	return request(ctx)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// pause is how long to wait after a failed try: exponential, with as much as half of it again by chance, so that readers
// that were refused together do not come back together. It is false when trying again is no use.
func pause(err error, try int) (wait time.Duration, again bool) {
	first := trouble
	var answer *googleapi.Error
	switch {
	case errors.As(err, &answer):
		quota := isQuota(answer)
		if !quota && answer.Code < 500 && answer.Code != http.StatusRequestTimeout {
			return 0, false
		}
		if quota {
			first = quotaWait
		}
		wait = retryAfter(answer.Header)
	case isRefused(err):
		return 0, false
	}
	backoff := first << (try - 1)
	return max(wait, backoff+rand.N(backoff/2)), true
}

// isQuota says whether the quota is used up. Google says so with 429, and in some cases with 403 and a reason.
func isQuota(answer *googleapi.Error) bool {
	if answer.Code != http.StatusForbidden {
		return answer.Code == http.StatusTooManyRequests
	}
	for reason := range strings.FieldsSeq(forbiddenFor) {
		if strings.Contains(answer.Body, `"`+reason+`"`) {
			return true
		}
	}
	return false
}

// isRefused says whether Google gave no token for the credentials, which it will not later either.
func isRefused(err error) bool {
	var refused *auth.Error
	if !errors.As(err, &refused) || refused.Response == nil {
		return false
	}
	code := refused.Response.StatusCode
	return code >= 400 && code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
}

// retryAfter reads the header of that name: seconds, or a date. 0 is none.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 16); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return time.Until(at)
	}
	return 0
}

// isBadRequest is Google's answer to a range of a worksheet that is not there.
func isBadRequest(err error) bool {
	var answer *googleapi.Error
	return errors.As(err, &answer) && answer.Code == http.StatusBadRequest
}

// explain says what an answer means, in few words: its body may be a page of HTML.
func (s *Sheets) explain(err error) error {
	var answer *googleapi.Error
	if !errors.As(err, &answer) {
		return err
	}
	said := fmt.Sprintf("Google answers %d, %.300q", answer.Code, answer.Message)
	if answer.Message == "" {
		said = fmt.Sprintf("Google answers %d %s", answer.Code, http.StatusText(answer.Code))
	}
	switch {
	case errors.Is(err, sheet.ErrUnavailable):
		return fmt.Errorf("%w: %s, after several tries", sheet.ErrUnavailable, said)
	case answer.Code == http.StatusNotFound:
		return fmt.Errorf("%w: %s", sheet.ErrNotFound, said)
	case answer.Code == http.StatusForbidden && s.Account != "":
		return fmt.Errorf("%w as %s: %s", sheet.ErrPermission, s.Account, said)
	case answer.Code == http.StatusForbidden:
		return fmt.Errorf("%w: %s", sheet.ErrPermission, said)
	}
	return errors.New(said)
}

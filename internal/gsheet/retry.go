package gsheet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/api/googleapi"

	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// Other programs and plans may use up the quota, which restarts each minute. So the waits for it
// add up to more than a minute. The waits for a failing service are shorter, and those for an
// unreachable one are a few seconds.
const (
	tries        = 6
	limit        = 90 * time.Second // for all tries of one request together
	connectLimit = 3 * time.Second  // of those that found no connection
	tryLimit     = 60 * time.Second // of one
	quotaWait    = 2 * time.Second  // before the second try; twice that before each further one
	trouble      = 500 * time.Millisecond
)

// attempt tries a request until it succeeds, fails permanently, or reaches the time limit. At the
// time limit the error wraps sheet.ErrUnavailable. Each try waits for the limiter.
func attempt[T any](ctx context.Context, limiter *rate.Limiter, request func(context.Context) (T, error)) (answer T, err error) {
	var start time.Time
	for try := 1; ; try++ {
		if err := limiter.Wait(ctx); err != nil {
			return answer, cmp.Or(context.Cause(ctx), err)
		}
		if try == 1 {
			start = time.Now() // waiting for the limiter does not count as waiting for Google
		}
		answer, err := once(ctx, request)
		if err == nil || ctx.Err() != nil {
			return answer, err
		}
		kind := kindOf(err)
		most := limit
		switch {
		case errors.Is(kind, sheet.ErrNoConnection):
			most = connectLimit
		case !errors.Is(kind, sheet.ErrUnavailable):
			return answer, err
		}
		wait := pause(err, try)
		if try == tries || time.Since(start)+wait > most {
			return answer, fmt.Errorf("%w: tried %d times: %w", sheet.ErrUnavailable, try, err)
		}
		if retry.Sleep(ctx, wait) != nil {
			return answer, context.Cause(ctx)
		}
	}
}

func once[T any](ctx context.Context, request func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	return request(ctx)
}

// pause returns the wait after a failed try. It grows exponentially, with up to half of it again at
// random, so that readers that failed together do not retry together.
func pause(err error, try int) time.Duration {
	first, wait := trouble, time.Duration(0)
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		if isQuota(answer) {
			first = quotaWait
		}
		after := answer.Header.Get("Retry-After") // seconds, or a date
		if seconds, err := strconv.ParseUint(after, 10, 16); err == nil {
			wait = time.Duration(seconds) * time.Second
		} else if at, err := http.ParseTime(after); err == nil {
			wait = time.Until(at)
		}
	}
	backoff := first << (try - 1)
	return max(wait, backoff+retry.Jitter(backoff/2))
}

// Google allows 60 reads a minute for a user, and a service account is one
// (https://developers.google.com/workspace/sheets/api/limits). A reader stays below that, counting
// every try.
//
// In any minute it makes at most burst + perMinute reads. The burst is enough for a season, 12
// sheets, so that its plan does not wait. A plan that begins right after a long one has its own
// burst, and together they still stay within the quota. Two plans of a season in one minute stay
// within it too.
const (
	quota         = 60
	burst         = 12 * readsPerSheet
	perMinute     = quota - burst - margin
	margin        = 2 // because reads need different times to reach Google
	readsPerSheet = 2 // which worksheets and merges there are, and the cells of one
)

// TimeFor returns the least time for reading a number of further sheets, and a description of the
// limit for people.
func (s *Sheets) TimeFor(sheets int) (time.Duration, string) {
	reads := float64(readsPerSheet*sheets) - max(s.limiter.Tokens(), 0)
	wait := time.Duration(math.Ceil(max(reads, 0)/perMinute*60)) * time.Second
	return wait, fmt.Sprintf("Google allows %d reads a minute", quota)
}

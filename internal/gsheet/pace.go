package gsheet

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"
)

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

func newLimiter() *rate.Limiter { return rate.NewLimiter(rate.Every(time.Minute/perMinute), burst) }

// TimeFor returns the least time for reading a number of further sheets, and a description of the
// limit for people.
func (s *Sheets) TimeFor(sheets int) (time.Duration, string) {
	reads := float64(readsPerSheet*sheets) - max(s.limiter.Tokens(), 0)
	wait := time.Duration(math.Ceil(max(reads, 0)/perMinute*60)) * time.Second
	return wait, fmt.Sprintf("Google allows %d reads a minute", quota)
}

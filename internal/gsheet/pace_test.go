package gsheet_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/gsheet"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

// quotaServer has a number of spreadsheets and Google's quota.
func quotaServer(books int) *sheettest.Server {
	api := sheettest.NewServer()
	api.Allow(60)
	for i := range books {
		api.Set(fmt.Sprint("sheet-", i), book())
	}
	return api
}

// readAll reads the spreadsheets, four at a time.
func readAll(t *testing.T, s *gsheet.Sheets, books int) {
	t.Helper()
	ids := make(chan string)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for id := range ids {
				if _, err := s.Values(t.Context(), id, ""); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			}
		})
	}
	for i := range books {
		ids <- fmt.Sprint("sheet-", i)
	}
	close(ids)
	readers.Wait()
}

// Ten seasons are read within the quota, and so is a plan of a season that begins as soon as they
// are read.
func TestPacedBelowTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := quotaServer(120)
		begun := time.Now()
		readAll(t, over(t, direct{api}), 120)
		if took := time.Since(begun); api.Refused() > 0 || took > 7*time.Minute {
			t.Errorf("120 sheets took %v, and %d reads were refused", took, api.Refused())
		}
		begun = time.Now()
		readAll(t, over(t, direct{api}), 12)
		if took := time.Since(begun); api.Refused() > 0 || took > time.Second {
			t.Errorf("the season after them took %v, and %d reads were refused", took, api.Refused())
		}
	})
}

// A plan of a season does not wait, nor does the next one.
func TestTwoSeasonsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := quotaServer(12)
		for range 2 {
			begun := time.Now()
			readAll(t, over(t, direct{api}), 12)
			if took := time.Since(begun); api.Refused() > 0 || took > time.Second {
				t.Errorf("12 sheets took %v, and %d reads were refused", took, api.Refused())
			}
		}
	})
}

// Tries again count too: they wait for their turn as every read does.
func TestTriesArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := quotaServer(40)
		for i := range 40 {
			api.Fail(fmt.Sprint("sheet-", i), 503, 2)
		}
		readAll(t, over(t, direct{api}), 40)
		if api.Refused() > 0 || api.Requests("") != 160 {
			t.Errorf("%d of %d reads were refused", api.Refused(), api.Requests(""))
		}
	})
}

// Where other programs have used up the quota, the sheets are read anyway.
func TestQuotaUsedUpByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := quotaServer(24)
		readAll(t, over(t, direct{api}), 24)
		readAll(t, over(t, direct{api}), 24)
		if api.Refused() == 0 {
			t.Error("no read was refused: the test does not try what it means to")
		}
	})
}

func TestTimeFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := over(t, direct{quotaServer(12)})
		for _, test := range []struct {
			sheets int
			want   time.Duration
		}{{0, 0}, {12, 0}, {13, 4 * time.Second}, {120, 6*time.Minute + 22*time.Second}} {
			if got, limit := s.TimeFor(test.sheets); got != test.want || limit != "Google allows 60 reads a minute" {
				t.Errorf("%d sheets: %v (%s), want %v", test.sheets, got, limit, test.want)
			}
		}
		readAll(t, s, 12)
		if got, _ := s.TimeFor(17); got != time.Minute {
			t.Errorf("17 sheets after 12: %v", got)
		}
	})
}

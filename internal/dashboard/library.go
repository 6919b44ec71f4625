package dashboard

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
)

const (
	// pageWait is how long a page waits for what is being read. Then it is sent without, and
	// brought up to date by its events.
	pageWait = 100 * time.Millisecond
	// tableTTL is how old a table may be when it is shown without being read again.
	tableTTL = 2 * time.Minute
	// retryDelay is how long after a reading that failed the next one begins.
	retryDelay = 30 * time.Second
	// maxSurveys bounds the memory: a survey takes some 20 MB while it is made.
	maxSurveys = 2
	// maxTables bounds the tables that are kept, of about 1.3 MB each.
	maxTables = 48
	// A survey reads a sheet with two of the 60 requests that Google grants a minute, which the
	// planner needs too.
	surveyBurst = 16
	surveyEvery = 6 * time.Second
)

// tableCache keeps tables of the episodes. A request never waits for a sheet: it gets what is there,
// and what is missing or old is read while it goes on.
type tableCache struct {
	survey func(context.Context, dataset.Episode) (*inventory.Survey, error)
	slots  chan struct{}
	limiter   *rate.Limiter

	mu      sync.Mutex
	entries map[dataset.Episode]*tableEntry
}

// tableEntry is what is known of one episode.
type tableEntry struct {
	table   *inventory.Table // nil until the first reading has ended well
	err     error            // of the last reading
	ended   time.Time        // the last reading
	used    time.Time
	reading chan struct{} // closed when the reading under way ends; nil: there is none
}

func newTableCache(survey func(context.Context, dataset.Episode) (*inventory.Survey, error)) *tableCache {
	return &tableCache{
		survey: survey, slots: make(chan struct{}, maxSurveys), limiter: rate.NewLimiter(rate.Every(surveyEvery), surveyBurst),
		entries: map[dataset.Episode]*tableEntry{},
	}
}

// episodeTables is what the library has of some episodes.
type episodeTables struct {
	Tables []*inventory.Table // by episode
	Of     int                // episodes that were asked for
	Failed int                // of them, those that could not be read
	Err    error              // of one of those
}

// Missing is the number of episodes whose first reading has not ended.
func (l episodeTables) Missing() int { return l.Of - len(l.Tables) - l.Failed }

// errNoSurvey says that the dashboard was started without the means to read sheets.
var errNoSurvey = errors.New("this dashboard cannot read the sheets")

// get gives the tables of the episodes that are there within the patience of a page. Tables from
// before changed are read again.
func (l *tableCache) get(ctx context.Context, changed time.Time, episodes ...dataset.Episode) episodeTables {
	if l.survey == nil {
		return episodeTables{Of: len(episodes), Failed: len(episodes), Err: errNoSurvey}
	}
	ctx, cancel := context.WithTimeout(ctx, pageWait)
	defer cancel()
	for _, waiting := range l.startReads(ctx, changed, episodes) {
		select {
		case <-waiting:
		case <-ctx.Done():
		}
	}
	out := episodeTables{Of: len(episodes)}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range episodes {
		switch s := l.entries[e]; {
		case s == nil: // there were too many since
		case s.table != nil:
			out.Tables = append(out.Tables, s.table)
		case s.err != nil:
			out.Failed, out.Err = out.Failed+1, s.err
		}
	}
	return out
}

// startReads begins the readings that are due, and gives what to wait for: the first readings of the
// episodes.
func (l *tableCache) startReads(ctx context.Context, changed time.Time, episodes []dataset.Episode) (waiting []chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, e := range episodes {
		s := l.entries[e]
		if s == nil {
			s = &tableEntry{}
			l.entries[e] = s
		}
		s.used = now
		if s.reading == nil && s.needsRead(now, changed) {
			s.reading = make(chan struct{})
			go l.readTable(context.WithoutCancel(ctx), e, s, s.reading)
		}
		if s.table == nil && s.err == nil && s.reading != nil {
			waiting = append(waiting, s.reading)
		}
	}
	l.evict()
	return waiting
}

func (s *tableEntry) needsRead(now, changed time.Time) bool {
	if s.table == nil || s.err != nil {
		return now.Sub(s.ended) >= retryDelay || s.ended.IsZero()
	}
	return now.Sub(s.table.Read) >= tableTTL || s.table.Read.Before(changed) && changed.Before(now)
}

// readTable makes a table. The one before stays until then.
func (l *tableCache) readTable(ctx context.Context, e dataset.Episode, s *tableEntry, done chan struct{}) {
	l.slots <- struct{}{}
	defer func() { <-l.slots }()
	err := l.limiter.Wait(ctx)
	began := time.Now()
	var table *inventory.Table
	if err == nil {
		var survey *inventory.Survey
		if survey, err = l.survey(ctx, e); err == nil {
			table = inventory.New(*survey, began)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if table != nil {
		s.table = table
	}
	s.err, s.ended, s.reading = err, time.Now(), nil
	close(done)
}

// evict drops the tables that nobody has asked for longest.
func (l *tableCache) evict() {
	if len(l.entries) <= maxTables {
		return
	}
	var idle []dataset.Episode
	for e, s := range l.entries {
		if s.reading == nil {
			idle = append(idle, e)
		}
	}
	slices.SortFunc(idle, func(a, b dataset.Episode) int { return l.entries[a].used.Compare(l.entries[b].used) })
	for _, e := range idle[:min(len(idle), len(l.entries)-maxTables)] {
		delete(l.entries, e)
	}
}

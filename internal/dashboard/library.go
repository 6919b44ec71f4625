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
	// pageWait is how long a page waits for values that are being read. Then it is sent without
	// them, and its events add them later.
	pageWait = 100 * time.Millisecond
	// tableTTL is how old a shown table may be before it is read again.
	tableTTL = 2 * time.Minute
	// retryDelay is the time between a failed read and the next one.
	retryDelay = 30 * time.Second
	// maxSurveys limits the memory: a survey takes about 20 MB while it is made.
	maxSurveys = 2
	// maxTables limits the tables that are kept, of about 1.3 MB each.
	maxTables = 48
	// A survey needs two of the 60 requests that Google allows a minute. The planner needs them
	// too.
	surveyBurst = 16
	surveyEvery = 6 * time.Second
)

// tableCache keeps the tables of episodes. A request does not wait for a sheet: it gets the tables
// that are there, and missing or old ones are read in the background.
type tableCache struct {
	survey  func(context.Context, dataset.Episode) (*inventory.Survey, error)
	slots   chan struct{}
	limiter *rate.Limiter

	mu      sync.Mutex
	entries map[dataset.Episode]*tableEntry
}

// tableEntry is the cached table of one episode.
type tableEntry struct {
	table   *inventory.Table // nil until the first successful read
	err     error            // of the last read
	ended   time.Time        // end of the last read
	used    time.Time        // when a request last needed it
	reading chan struct{}    // closed when the current read ends; nil without one
}

func newTableCache(survey func(context.Context, dataset.Episode) (*inventory.Survey, error)) *tableCache {
	return &tableCache{
		survey: survey, slots: make(chan struct{}, maxSurveys), limiter: rate.NewLimiter(rate.Every(surveyEvery), surveyBurst),
		entries: map[dataset.Episode]*tableEntry{},
	}
}

// episodeTables are the tables of some episodes, as far as they have been read.
type episodeTables struct {
	Tables []*inventory.Table // by episode
	Of     int                // number of requested episodes
	Failed int                // number of episodes that could not be read
	Err    error              // the error of one of them
}

// Missing is the number of episodes whose first read has not ended.
func (l episodeTables) Missing() int { return l.Of - len(l.Tables) - l.Failed }

// errNoSurvey means that this dashboard has no access to the sheets.
var errNoSurvey = errors.New("this dashboard cannot read the sheets")

// get returns the tables of the episodes that have been read within pageWait. Tables that are older
// than changed are read again.
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
		case s == nil: // evicted meanwhile
		case s.table != nil:
			out.Tables = append(out.Tables, s.table)
		case s.err != nil:
			out.Failed, out.Err = out.Failed+1, s.err
		}
	}
	return out
}

// startReads begins the reads that are due. It returns channels that are closed when the first
// reads of the episodes have ended.
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

// readTable reads a table. Until it has ended, requests get the table before it.
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

// evict removes the least recently used tables.
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

// Package dashboard serves the pages of package page: the runs, the progress of one run, the frames
// as images. It only reads, and answers only GET and HEAD.
//
// # Security
//
// It has no users and no secrets: everybody who can connect to its port sees the runs, the sheets'
// problems and the frames. So by default it listens on loopback. A web page in the same browser
// must not read it. DNS rebinding needs a request with a foreign name as Host: such a request is
// refused unless the name is configured. No other origin may read or embed an answer, and no page
// may frame it. Pages load only what the dashboard itself serves.
//
// The dashboard serves images itself instead of presigned URLs. So the policy names no other host,
// no page contains a URL with a signature, and one check decides which keys can be read. An image
// is streamed, at most maxImage bytes, maxImageReads at a time.
package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/internal/why"
)

// Bucket are the bucket's operations that the dashboard needs, besides reading the state.
type Bucket interface {
	bucket.Lister
	HeadObject(ctx context.Context, key string) (bucket.Object, error)
	OpenObject(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error)
}

// Options of a dashboard.
type Options struct {
	Store  *state.Store
	Bucket Bucket
	Site   page.Site
	// ReadLedger reads the dead tasks and the progress of each episode from the ledger of a run.
	ReadLedger func(context.Context, *state.Plan) ([]state.DeadTask, map[dataset.Episode]state.EpisodeProgress, error)
	// ReadSurvey reads the sheet of an episode and lists its images. Since that is slow, its
	// results are cached. nil when this dashboard cannot read sheets.
	ReadSurvey func(context.Context, dataset.Episode) (*inventory.Survey, error)
	// NewAssigner makes the assigner of a definition. It is a function of values.
	NewAssigner func(d state.Definition, season []inventory.LabelledFrame, standing dataset.Standing) (Assigner, error)
	// Workers has the workers that have sent results; nil when another process receives the
	// results.
	Workers *Workers
	// ReadQueues reads the attributes of the queues, the tasks queue first; nil: they are not
	// shown.
	ReadQueues func(context.Context) ([]page.Queue, error)
	// MinPerClass is how many units of a class each dataset should hold.
	MinPerClass int
	// ReadHistory reads the tasks that the newest runs had for a frame, newest first; nil: they are
	// not shown.
	ReadHistory func(context.Context, dataset.Frame) ([]why.Operation, error)
	// Stall is how long trackers wait before they act on a run without progress; 0: unknown.
	Stall time.Duration
	// Hosts are the names that a request may have as Host, besides localhost and IP addresses.
	Hosts []string
	Log   *zap.Logger // nil logs nothing
}

// Assigner assigns frames to datasets, and explains it.
type Assigner interface {
	// Dataset returns false for a frame that belongs in no dataset.
	Dataset(dataset.Frame) (string, bool)
	Explain(dataset.Frame) why.Split
}

// dashboard has the handlers and their caches.
type dashboard struct {
	Options
	runs       *cache[string, *page.Run]
	ended      *cache[string, state.Status]
	eventSlots chan struct{} // a slot for each stream of events
	imageSlots chan struct{} // and for each image that is being sent

	historySlots   chan struct{} // a slot for each frame whose tasks are looked for
	tables         *tableCache
	catalogs       *cache[struct{}, catalog]
	assigners      *cache[string, Assigner]
	nearDuplicates *cache[string, nearDuplicates]
	drawings       *cache[string, []string]
	listings       *cache[struct{}, version.Listing]
	queues         *cache[struct{}, []page.Queue]
	causes         *cache[string, map[dataset.Frame]cause]
	plans          *cache[string, planSummary]
	diffs          *cache[string, version.Diff]
	histories      *cache[dataset.Frame, []why.Operation]
}

// New makes the dashboard's handler.
func New(o Options) http.Handler {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	d := &dashboard{
		Options: o, runs: newCache[string, *page.Run](runTTL), ended: newCache[string, state.Status](endedRunTTL),
		eventSlots: make(chan struct{}, maxStreams), imageSlots: make(chan struct{}, maxImageReads),
		listings: newCache[struct{}, version.Listing](versionsTTL), plans: newCache[string, planSummary](diffTTL), diffs: newCache[string, version.Diff](diffTTL),
		queues:       newCache[struct{}, []page.Queue](queuesTTL),
		causes:       newCache[string, map[dataset.Frame]cause](causesTTL),
		historySlots: make(chan struct{}, maxHistoryReads),
		tables:       newTableCache(o.ReadSurvey), catalogs: newCache[struct{}, catalog](catalogTTL), assigners: newCache[string, Assigner](assignerTTL), nearDuplicates: newCache[string, nearDuplicates](duplicatesTTL), drawings: newCache[string, []string](assignerTTL), histories: newCache[dataset.Frame, []why.Operation](historyTTL),
	}
	d.diffs.max, d.causes.max = maxDiffs, maxCauseEpisodes
	d.assigners.max, d.nearDuplicates.max, d.drawings.max = maxAssigners, maxAssigners, maxDrawings
	mux := http.NewServeMux()
	for pattern, build := range map[string]builder{
		"/{$}":                           d.runsPage,
		"/runs/{run}":                    d.runPage,
		"/runs/{run}/changes":            d.changesPage,
		"/runs/{run}/episodes":           d.runEpisodesPage,
		"/runs/{run}/dead":               d.deadPage,
		"/runs/{run}/problems":           d.problemsPage,
		"/runs/{run}/problems/{episode}": d.problemsPage,
		"/frames":                        d.framesPage,
		"/frames/{frame}":                d.framePage,
		"/episodes":                      d.seasonPage,
		"/episodes/{episode}":            d.episodePage,
		"/labels":                        d.labelsPage,
		"/duplicates":                    d.duplicatesPage,
		"/versions":                      d.versionsPage,
		"/workers":                       d.workersPage,
		"/versions/compare":              d.comparePage,
	} {
		mux.HandleFunc("GET "+pattern, d.servePage(build))
	}
	for pattern, build := range map[string]builder{
		"/events":                     d.runsPage,
		"/runs/{run}/events":          d.runPage,
		"/runs/{run}/episodes/events": d.runEpisodesPage,
		"/frames/events":              d.framesPage,
		"/frames/{frame}/events":      d.framePage,
		"/episodes/events":            d.seasonPage,
		"/episodes/{episode}/events":  d.episodePage,
		"/labels/events":              d.labelsPage,
		"/duplicates/events":          d.duplicatesPage,
		"/versions/events":            d.versionsPage,
		"/workers/events":             d.workersPage,
		"/versions/compare/events":    d.comparePage,
	} {
		mux.HandleFunc("GET "+pattern, d.serveEvents(build))
	}
	mux.HandleFunc("GET /find", d.redirectFound)
	mux.HandleFunc("GET /episodes/{episode}/at/{index}", d.servePreview)
	mux.HandleFunc("GET /runs/{run}/{file}", d.serveRunFile)
	mux.HandleFunc("GET /images/{key...}", d.serveImage)
	mux.HandleFunc("GET /assets/{version}/{name}", serveAsset)
	mux.HandleFunc("/", d.servePage(func(r *http.Request) (page.Page, error) {
		return nil, visitorErrorf(http.StatusNotFound, "There is no such page.")
	}))
	return d.guard(compress(mux))
}

// builder makes the page for a request.
type builder func(*http.Request) (page.Page, error)

// visitorError is an error whose text is shown to the visitor.
type visitorError struct {
	code int
	text string
}

func (r *visitorError) Error() string { return r.text }

func visitorErrorf(code int, format string, args ...any) error {
	return &visitorError{code, fmt.Sprintf(format, args...)}
}

// servePage answers with the page that build makes. The page is rendered completely before the
// first byte is sent, so that an error never leaves half a page.
func (d *dashboard) servePage(build builder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code := http.StatusOK
		p, err := build(r)
		if err != nil {
			m := d.errorPage(r, err)
			p, code = m, m.Code
		}
		var body bytes.Buffer
		if err := page.Write(&body, d.Site, p); err != nil {
			d.Log.Error("a page failed", zap.String("path", r.URL.Path), zap.Error(err))
			http.Error(w, "The page could not be made; see the log.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(code)
		_, _ = w.Write(body.Bytes()) // to a visitor, who may have left
	}
}

// errorPage is the page for an error.
func (d *dashboard) errorPage(r *http.Request, err error) *page.Message {
	var known *visitorError
	switch {
	case errors.As(err, &known):
		return &page.Message{Code: known.code, Text: known.text}
	case errors.Is(err, state.ErrNoRun), errors.Is(err, bucket.ErrNotFound):
		return &page.Message{Code: http.StatusNotFound, Text: "This run does not exist, or it does not have this page (any more)."}
	}
	if r.Context().Err() == nil {
		d.Log.Warn("a page failed", zap.String("path", r.URL.Path), zap.Error(err))
	}
	return &page.Message{Code: http.StatusBadGateway, Text: "The bucket could not be read: " + err.Error() + ". Try again; shuffle doctor shows what to fix."}
}

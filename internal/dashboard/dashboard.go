// Package dashboard serves the pages of package page: runs, one run as it goes, the frames as
// images. It only reads, and answers GET and HEAD alone.
//
// # What a stranger can do with it
//
// It has no users and no secrets: whoever reaches its port sees the runs, the sheets' problems and
// the frames. So it listens on loopback unless told otherwise. A web page that somebody has open in
// the same browser must not reach it: a request whose Host is a name that nobody configured is
// refused, which is what DNS rebinding needs; no answer may be read or embedded by another origin;
// no page may frame it. Pages load nothing but what it serves itself.
//
// Images come through it and not by presigned URLs: then the policy names no other host, no URL
// with a signature stands in a page, and one check decides which keys can be read. An image is
// streamed, at most maxImage bytes, imagesAtOnce at a time.
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

// Bucket is what the dashboard needs of the bucket beside the state in it.
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
	// Look is what the ledger of a planned run tells beyond its numbers: the dead tasks and how far
	// each episode is.
	Look func(context.Context, *state.Plan) ([]state.DeadTask, map[dataset.Episode]state.EpisodeProgress, error)
	// Survey reads what the sheet and the listings say of an episode; nil: it cannot be read from
	// here. It reads a sheet and lists an episode, so its answers are kept.
	Survey func(context.Context, dataset.Episode) (*inventory.Survey, error)
	// Assign makes what says where frames belong under a definition. It is a function of values.
	Assign func(d state.Definition, season []inventory.Labelled, standing dataset.Standing) (Assigner, error)
	// Workers knows the workers that have sent results; nil: they are received elsewhere.
	Workers *Workers
	// Queues says what the queues hold, that of the tasks first; nil: they are not asked.
	Queues func(context.Context) ([]page.Queue, error)
	// MinPerClass is how many units of a class each dataset should hold.
	MinPerClass int
	// History gives the tasks that the newest runs had for a frame, newest first; nil: they are not
	// looked for.
	History func(context.Context, dataset.Frame) ([]why.Operation, error)
	// Stall is how long trackers wait before they act on a run that does not go on; 0: unknown.
	Stall time.Duration
	// Hosts are the names, beside localhost and every IP address, that a request may call the
	// server by.
	Hosts []string
	Log   *zap.Logger // nil logs nothing
}

// Assigner says in which dataset a frame is, and why.
type Assigner interface {
	// Dataset is false for a frame that is left out.
	Dataset(dataset.Frame) (string, bool)
	Explain(dataset.Frame) why.Split
}

// dashboard is a set of handlers.
type dashboard struct {
	Options
	runs   *cache[string, *page.Run]
	ended  *cache[string, state.Status]
	events chan struct{} // a slot for each stream of events
	images chan struct{} // and for each image that is being sent

	asking    chan struct{} // a slot for each frame whose tasks are looked for
	library   *library
	indexes   *cache[struct{}, index]
	assigners *cache[string, Assigner]
	same      *cache[string, near]
	drawings  *cache[string, []string]
	listings  *cache[struct{}, version.Listing]
	queues    *cache[struct{}, []page.Queue]
	causes    *cache[string, map[dataset.Frame]cause]
	plans     *cache[string, planned]
	diffs     *cache[string, version.Diff]
	histories *cache[dataset.Frame, []why.Operation]
}

// New is the dashboard's handler.
func New(o Options) http.Handler {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	d := &dashboard{
		Options: o, runs: newCache[string, *page.Run](freshRun), ended: newCache[string, state.Status](freshEnded),
		events: make(chan struct{}, streamsAtOnce), images: make(chan struct{}, imagesAtOnce),
		listings: newCache[struct{}, version.Listing](freshVersions), plans: newCache[string, planned](freshDiff), diffs: newCache[string, version.Diff](freshDiff),
		queues:  newCache[struct{}, []page.Queue](freshQueues),
		causes:  newCache[string, map[dataset.Frame]cause](freshCauses),
		asking:  make(chan struct{}, asksAtOnce),
		library: newLibrary(o.Survey), indexes: newCache[struct{}, index](freshIndex), assigners: newCache[string, Assigner](freshAssigner), same: newCache[string, near](freshSame), drawings: newCache[string, []string](freshAssigner), histories: newCache[dataset.Frame, []why.Operation](freshHistory),
	}
	d.diffs.most, d.causes.most = keptDiffs, keptCauses
	d.assigners.most, d.same.most, d.drawings.most = keptAssigners, keptAssigners, keptDrawings
	mux := http.NewServeMux()
	for pattern, build := range map[string]builder{
		"/{$}":                           d.first,
		"/runs/{run}":                    d.run,
		"/runs/{run}/changes":            d.changed,
		"/runs/{run}/episodes":           d.episodes,
		"/runs/{run}/dead":               d.deads,
		"/runs/{run}/problems":           d.problems,
		"/runs/{run}/problems/{episode}": d.problems,
		"/frames":                        d.frames,
		"/frames/{frame}":                d.frame,
		"/episodes":                      d.season,
		"/episodes/{episode}":            d.episode,
		"/labels":                        d.labels,
		"/duplicates":                    d.duplicates,
		"/versions":                      d.versions,
		"/workers":                       d.workers,
		"/versions/compare":              d.compare,
	} {
		mux.HandleFunc("GET "+pattern, d.page(build))
	}
	for pattern, build := range map[string]builder{
		"/events":                     d.first,
		"/runs/{run}/events":          d.run,
		"/runs/{run}/episodes/events": d.episodes,
		"/frames/events":              d.frames,
		"/frames/{frame}/events":      d.frame,
		"/episodes/events":            d.season,
		"/episodes/{episode}/events":  d.episode,
		"/labels/events":              d.labels,
		"/duplicates/events":          d.duplicates,
		"/versions/events":            d.versions,
		"/workers/events":             d.workers,
		"/versions/compare/events":    d.compare,
	} {
		mux.HandleFunc("GET "+pattern, d.stream(build))
	}
	mux.HandleFunc("GET /find", d.find)
	mux.HandleFunc("GET /episodes/{episode}/at/{index}", d.glimpse)
	mux.HandleFunc("GET /runs/{run}/{file}", d.file)
	mux.HandleFunc("GET /images/{key...}", d.image)
	mux.HandleFunc("GET /assets/{version}/{name}", asset)
	mux.HandleFunc("/", d.page(func(r *http.Request) (page.Page, error) {
		return nil, refused(http.StatusNotFound, "There is no such page.")
	}))
	return d.guard(compressed(mux))
}

// builder makes the page that a request asks for.
type builder func(*http.Request) (page.Page, error)

// refusal is an error that the visitor is told of as it is.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string { return r.text }

func refused(code int, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// page answers with the page that build makes. It is rendered whole before the first byte is sent,
// so that an error is never half a page.
func (d *dashboard) page(build builder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code := http.StatusOK
		p, err := build(r)
		if err != nil {
			m := d.message(r, err)
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

// message is the page about an error.
func (d *dashboard) message(r *http.Request, err error) *page.Message {
	var known *refusal
	switch {
	case errors.As(err, &known):
		return &page.Message{Code: known.code, Text: known.text}
	case errors.Is(err, state.ErrNoRun), errors.Is(err, bucket.ErrNotFound):
		return &page.Message{Code: http.StatusNotFound, Text: "There is no such run, or it has no such thing (any more)."}
	}
	if r.Context().Err() == nil {
		d.Log.Warn("a page failed", zap.String("path", r.URL.Path), zap.Error(err))
	}
	return &page.Message{Code: http.StatusBadGateway, Text: "The bucket could not be read: " + err.Error() + ". Try again; shuffle doctor says what to fix."}
}

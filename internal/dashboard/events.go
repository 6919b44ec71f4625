package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/page"
)

const (
	// maxStreams limits the pages that are kept up to date. A browser opens at most six to one
	// server.
	maxStreams = 64
	// tick is the time between two checks of a page for changes.
	tick = time.Second
	// maxQuietTicks is the number of ticks without a change after which a comment is sent, to
	// detect visitors who have left.
	maxQuietTicks = 15
	// sendTime is how long sending an event may take.
	sendTime = 10 * time.Second
)

// serveEvents sends a page's regions as server-sent events when they change, until the page does
// not change any more.
func (d *dashboard) serveEvents(build builder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case d.eventSlots <- struct{}{}:
			defer func() { <-d.eventSlots }()
		default:
			http.Error(w, "Too many pages are open; close some, or reload this page to update it.", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		s := &eventStream{w: w, out: http.NewResponseController(w), sent: map[string]string{}}
		t := time.NewTicker(tick)
		defer t.Stop()
		for s.sendChanges(d, r, build) {
			select {
			case <-r.Context().Done():
				return
			case <-t.C:
			}
		}
	}
}

// eventStream is the stream of one open page.
type eventStream struct {
	w          http.ResponseWriter
	out        *http.ResponseController
	sent       map[string]string // the HTML by region
	quietTicks int
}

// sendChanges sends the regions that have changed; false ends the stream. An error of the bucket
// changes nothing on the page, since the next call may succeed.
func (s *eventStream) sendChanges(d *dashboard, r *http.Request, build builder) bool {
	p, err := build(r)
	if err != nil {
		return s.keepAlive()
	}
	all, err := page.Regions(d.Site, p)
	if err != nil {
		d.Log.Error("a page failed", zap.String("path", r.URL.Path), zap.Error(err))
		return false
	}
	var changed []page.Region
	for _, region := range all {
		if s.sent[region.ID] != region.HTML {
			s.sent[region.ID] = region.HTML
			changed = append(changed, region)
		}
	}
	if len(changed) > 0 && !s.send("regions", changed) {
		return false
	}
	if p.Events() == "" {
		s.send("end", nil)
		return false
	}
	return len(changed) > 0 || s.keepAlive()
}

// keepAlive sends a comment after maxQuietTicks calls.
func (s *eventStream) keepAlive() bool {
	if s.quietTicks++; s.quietTicks < maxQuietTicks {
		return true
	}
	return s.write(": still here\n\n")
}

func (s *eventStream) send(event string, value any) bool {
	body, err := json.Marshal(value)
	return err == nil && s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", event, body))
}

func (s *eventStream) write(text string) bool {
	s.quietTicks = 0
	_ = s.out.SetWriteDeadline(time.Now().Add(sendTime)) // not all connections have one
	if _, err := s.w.Write([]byte(text)); err != nil {
		return false
	}
	return s.out.Flush() == nil
}

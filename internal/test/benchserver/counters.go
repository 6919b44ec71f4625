package benchserver

import (
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Stats counts the requests since the server's start or since ResetStats.
type Stats struct {
	// By the names of the calls: "CopyObject", "ReceiveMessage".
	Requests map[string]int `json:"requests"`
	InFlight int            `json:"in_flight"`
	// PeakInFlight is the largest number of simultaneous requests, with long polls.
	PeakInFlight int `json:"peak_in_flight"`
	// SQSBilled is the number of requests that SQS bills: each started 64 KiB of messages is one
	// (Amazon SQS pricing).
	SQSBilled int `json:"sqs_billed"`

	Written  int   `json:"written"`   // objects
	Refused  int   `json:"refused"`   // objects, because of the limit
	PutBytes int64 `json:"put_bytes"` // of the objects written by PutObject, without copies
	// Writing is the time from the first write to the last.
	Writing time.Duration `json:"writing"`

	Connections     int `json:"connections"` // opened
	OpenConnections int `json:"open_connections"`
	PeakConnections int `json:"peak_connections"`
}

// Total is the number of requests of all kinds.
func (s Stats) Total() (n int) {
	for _, count := range s.Requests {
		n += count
	}
	return n
}

// SQSRequests is the number of requests to SQS.
func (s Stats) SQSRequests() (n int) {
	for kind, count := range s.Requests {
		if strings.Contains(kind, "Message") || strings.Contains(kind, "Queue") {
			n += count
		}
	}
	return n
}

type counters struct {
	mu         sync.Mutex
	stats      Stats
	firstWrite time.Time
}

// begin counts a request. The returned function ends it.
func (c *counters) begin(kind string) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats.Requests == nil {
		c.stats.Requests = map[string]int{}
	}
	c.stats.Requests[kind]++
	c.stats.InFlight++
	c.stats.PeakInFlight = max(c.stats.PeakInFlight, c.stats.InFlight)
	return c.end
}

func (c *counters) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.InFlight--
}

// billed counts a request to SQS that carried this many bytes of messages.
func (c *counters) billed(bytes int) {
	const unit = 64 << 10
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.SQSBilled += max(1, (bytes+unit-1)/unit)
}

func (c *counters) wrote(now time.Time, granted, refused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.firstWrite.IsZero() {
		c.firstWrite = now
	}
	c.stats.Written += granted
	c.stats.Refused += refused
	c.stats.Writing = now.Sub(c.firstWrite)
}

func (c *counters) put(bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.PutBytes += int64(bytes)
}

func (c *counters) connection(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.stats.Connections++
		c.stats.OpenConnections++
		c.stats.PeakConnections = max(c.stats.PeakConnections, c.stats.OpenConnections)
	case http.StateClosed, http.StateHijacked:
		c.stats.OpenConnections--
	case http.StateActive, http.StateIdle:
	}
}

// Stats returns the counts.
func (s *Server) Stats() Stats {
	s.count.mu.Lock()
	defer s.count.mu.Unlock()
	stats := s.count.stats
	stats.Requests = maps.Clone(stats.Requests)
	return stats
}

// ResetStats resets the counts. Requests in progress and open connections still count as such.
func (s *Server) ResetStats() {
	s.count.mu.Lock()
	defer s.count.mu.Unlock()
	now := s.count.stats
	s.count.stats = Stats{InFlight: now.InFlight, PeakInFlight: now.InFlight,
		OpenConnections: now.OpenConnections, PeakConnections: now.OpenConnections}
	s.count.firstWrite = time.Time{}
}

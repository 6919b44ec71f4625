package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// dashboardPages are the pages that read every sheet of the season, and what they show of a run.
var dashboardPages = []string{"/", "/episodes", "/labels", "/duplicates", "/frames", "/frames?class=Rare", "/versions", "/versions/compare", "/workers"}

// freeAddress returns a loopback address that no process listens on.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// visit asks for each page until the dashboard has read everything that the page shows. Then it
// ends the tracker that serves it.
func visit(address string) func(context.Context, []*running) error {
	return func(ctx context.Context, tracker []*running) error {
		for _, path := range dashboardPages {
			for ready := false; !ready; {
				select {
				case <-tracker[0].ended:
					return errors.Join(errors.New("the tracker has ended"), tracker[0].err)
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(200 * time.Millisecond):
				}
				body, err := get(ctx, "http://"+address+path)
				ready = err == nil && !bytes.Contains(body, []byte(`class="reading"`))
			}
		}
		return tracker[0].end()
	}
}

func get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // It was only read.
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

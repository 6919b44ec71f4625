package main

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"
)

// TestAlive runs shuffle alive while a worker and a tracker run, and after they have ended.
func TestAlive(t *testing.T) {
	for _, service := range []string{"work", "track"} {
		t.Run(service, func(t *testing.T) {
			dir := t.TempDir()
			socket := filepath.Join(dir, "alive")
			shuffle := func(ctx context.Context, command string) error {
				return run(ctx, []string{"--local", dir, "--alive", socket, command}, io.Discard, io.Discard)
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- shuffle(ctx, service) }()
			for shuffle(t.Context(), "alive") != nil {
				select {
				case err := <-ended:
					t.Fatalf("%s ended: %v", service, err)
				case <-time.After(10 * time.Millisecond):
				}
			}
			stop()
			if err := <-ended; err != nil {
				t.Errorf("%s, stopped: %v", service, err)
			}
			if err := shuffle(t.Context(), "alive"); exitCode(err) != 1 {
				t.Errorf("asked afterwards: %v", err)
			}
		})
	}
}

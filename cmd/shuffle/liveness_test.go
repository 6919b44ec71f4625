package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLivenessAnswer: a service is alive while it reports progress.
func TestLivenessAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p liveness
		for range 3 {
			p.markAlive()
			<-time.After(aliveLimit)
			if got := p.answer(); got != aliveAnswer {
				t.Errorf("at the limit: %q", got)
			}
		}
		<-time.After(time.Second)
		if got, want := p.answer(), "no sign of life for 15m1s\n"; got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	})
}

// TestAskAlive: a client learns whether a service answers, and the answer.
func TestAskAlive(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "alive")
	if err := askAlive(t.Context(), socket); err == nil {
		t.Error("nobody is there, and yet alive")
	}
	ctx, stop := context.WithCancel(t.Context())
	var p liveness
	served := make(chan error)
	go func() { served <- p.serve(ctx, socket) }()
	for askAlive(t.Context(), socket) != nil { // until it listens
		select {
		case err := <-served:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	long := time.Now().Add(-time.Hour)
	p.lastSign.Store(&long)
	if err := askAlive(t.Context(), socket); err == nil || !strings.Contains(err.Error(), "no sign of life") {
		t.Errorf("after an hour: %v", err)
	}
	stop()
	if err := <-served; err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// TestServeNowhere: a socket that cannot be created is an error.
func TestServeNowhere(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "no", "folder")
	if err := new(liveness).serve(t.Context(), socket); err == nil {
		t.Error("listened in a folder that is not there")
	}
}

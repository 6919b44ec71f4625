package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
)

// serveCmd runs the server until its standard input is closed, so it ends with the process that
// started it. It prints its addresses to its standard output.
type serveCmd struct{}

// addresses are the base URLs of S3 and SQS, and of the control interface, whose requests are not
// counted.
type addresses struct {
	AWS     string `json:"aws"`
	Control string `json:"control"`
}

// usage is the server's request counts and CPU time.
type usage struct {
	benchserver.Stats
	CPU time.Duration `json:"cpu"`
}

// serverGC lets the server's heap grow more between collections. The server has a whole season in
// memory, and it shares the CPU with the measured clients.
const serverGC = 400

func (serveCmd) Run(ctx *runContext) error {
	debug.SetGCPercent(serverGC)
	s := benchserver.New(benchserver.Options{})
	aws, err := listen(ctx, s.HTTPServer())
	if err != nil {
		return err
	}
	control, err := listen(ctx, &http.Server{Handler: controls(s), ReadHeaderTimeout: time.Minute})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(addresses{aws, control}); err != nil {
		return err
	}
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
	}
	return nil
}

// listen serves on a free port of the loopback interface.
func listen(ctx context.Context, server *http.Server) (url string, err error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start the server: %w", err)
	}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "bench serve:", err)
		}
	}()
	return "http://" + l.Addr().String(), nil
}

func controls(s *benchserver.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /options", func(w http.ResponseWriter, r *http.Request) {
		var o benchserver.Options
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Configure(o)
		s.ResetStats()
	})
	mux.HandleFunc("PUT /buckets/{bucket}", withKeys(s.Fill))
	mux.HandleFunc("POST /buckets/{bucket}", withKeys(s.Add))
	mux.HandleFunc("GET /usage", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, usage{s.Stats(), ownCPU()})
	})
	mux.HandleFunc("GET /buckets/{bucket}/{key...}", func(w http.ResponseWriter, r *http.Request) {
		body, ok := s.Object(r.PathValue("bucket"), r.PathValue("key"))
		if !ok {
			http.Error(w, "no such object", http.StatusNotFound)
			return
		}
		answer(w, body)
	})
	mux.HandleFunc("GET /queues/{queue}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, s.Messages(r.PathValue("queue")))
	})
	return mux
}

func answer(w http.ResponseWriter, of any) {
	if err := json.NewEncoder(w).Encode(of); err != nil {
		fmt.Fprintln(os.Stderr, "bench serve:", err)
	}
}

func withKeys(do func(bucket string, keys []string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var keys []string
		if err := json.NewDecoder(r.Body).Decode(&keys); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		do(r.PathValue("bucket"), keys)
	}
}

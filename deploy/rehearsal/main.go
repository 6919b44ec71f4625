// Command rehearsal replaces the outside world in docker-compose.yml. It draws a season into the
// bucket and serves the Sheets API. POST /relabel relabels some frames, as an editor does. POST
// /break spoils a sheet, and POST /mend undoes that. The program contains none of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

// relabelled is the number of frames that one edit relabels.
const relabelled = 12

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "rehearsal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	listen := flag.String("listen", "127.0.0.1:8081", "address of the Sheets API")
	bucket := flag.String("bucket", "s3://media.angel-nft.com", "where the season goes")
	episodes := flag.Int("episodes", 2, "episodes of the season")
	frames := flag.Int("frames", 250, "frames of each episode")
	check := flag.Bool("check", false, "ask whether the one that listens there is ready, and end")
	relabel := flag.Bool("relabel", false, "ask the one that listens there to relabel some frames, and end")
	spoil := flag.Bool("break", false, "ask the one that listens there to take a column out of the last sheet, and end")
	mend := flag.Bool("mend", false, "ask the one that listens there to put that column back, and end")
	flag.Parse()
	switch {
	case *check:
		return ask(ctx, http.MethodGet, "http://"+*listen+"/ready")
	case *relabel:
		return ask(ctx, http.MethodPost, "http://"+*listen+"/relabel")
	case *spoil:
		return ask(ctx, http.MethodPost, "http://"+*listen+"/break")
	case *mend:
		return ask(ctx, http.MethodPost, "http://"+*listen+"/mend")
	}
	s, err := season.Generate(season.Options{Episodes: *episodes, Frames: *frames, Seed: 1})
	if err != nil {
		return err
	}
	sheets, err := os.MkdirTemp("", "sheets")
	if err != nil {
		return err
	}
	defer os.RemoveAll(sheets) //nolint:errcheck // The folder is temporary.
	opener := open.New(connections)
	b, _, err := opener.Bucket(ctx, *bucket)
	if err != nil {
		return err
	}
	if err := errors.Join(s.Write(ctx, b, sheets), opener.Close()); err != nil {
		return err
	}
	return serve(ctx, *listen, handler(s, sheets))
}

// ask sends a request and prints the response.
func ask(ctx context.Context, method, url string) error {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, resp.Body)
	if resp.StatusCode != http.StatusOK {
		err = errors.Join(err, errors.New(resp.Status))
	}
	return errors.Join(err, resp.Body.Close())
}

// connections is the number of connections to the bucket.
const connections = 32

func handler(s *season.Season, sheets string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v4/", sheettest.FromFolder(sheets))
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	var editing sync.Mutex
	// on handles a POST of path: it changes an episode's sheet and responds with what change did.
	on := func(path string, e *season.Episode, change func() (done string)) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, _ *http.Request) {
			editing.Lock()
			defer editing.Unlock()
			done := change()
			if err := e.WriteSheet(sheets); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_, _ = fmt.Fprintln(w, done) // a client that has gone away needs no response
		})
	}
	first, last := s.Episodes[0], s.Episodes[len(s.Episodes)-1]
	on("/relabel", first, func() string {
		return fmt.Sprintf("%d frames of %s relabelled", len(first.Relabel(relabelled)), first.Episode)
	})
	on("/break", last, func() string {
		last.Missing = season.ColumnFrame
		return fmt.Sprintf("the sheet of %s has no column %s now; a plan holds that episode", last.Episode, season.ColumnFrame)
	})
	on("/mend", last, func() string {
		last.Missing = ""
		return fmt.Sprintf("the sheet of %s is whole again", last.Episode)
	})
	return mux
}

// serve serves h until ctx ends.
func serve(ctx context.Context, address string, h http.Handler) error {
	server := &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

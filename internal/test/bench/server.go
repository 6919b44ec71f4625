package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"

	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
)

// server is the process of serveCmd.
type server struct {
	addresses
	process *exec.Cmd
	input   io.Closer
}

func startServer(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{process: exec.CommandContext(ctx, self, "serve")} //nolint:gosec // It is this program.
	s.process.Stderr = os.Stderr
	if s.input, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := json.NewDecoder(out).Decode(&s.addresses); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	return s, nil
}

func (s *server) stop() error {
	_ = s.input.Close() // this ends the server, if it has not ended already
	return s.process.Wait()
}

// configure sets the latency and limit of the server, and resets the counts.
func (s *server) configure(ctx context.Context, o benchserver.Options) error {
	return s.call(ctx, http.MethodPut, "/options", o, nil)
}

// fill creates a bucket again, with an object under each key.
func (s *server) fill(ctx context.Context, bucket string, keys []string) error {
	return s.call(ctx, http.MethodPut, "/buckets/"+bucket, keys, nil)
}

// add adds objects to a bucket.
func (s *server) add(ctx context.Context, bucket string, keys []string) error {
	return s.call(ctx, http.MethodPost, "/buckets/"+bucket, keys, nil)
}

// object returns the body of an object. The call is not counted as a request.
func (s *server) object(ctx context.Context, bucket, key string) (body []byte, err error) {
	return body, s.call(ctx, http.MethodGet, "/buckets/"+bucket+"/"+key, nil, &body)
}

func (s *server) usage(ctx context.Context) (u usage, err error) {
	return u, s.call(ctx, http.MethodGet, "/usage", nil, &u)
}

// messages returns the number of messages in a queue, including invisible ones.
func (s *server) messages(ctx context.Context, queue string) (n int, err error) {
	return n, s.call(ctx, http.MethodGet, "/queues/"+queue, nil, &n)
}

func (s *server) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, s.Control+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // It was only read.
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

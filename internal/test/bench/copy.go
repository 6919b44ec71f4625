package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// copyCmd is the simplest program on the SDK: CopyObject in a loop, with a client that keeps its
// connections open.
type copyCmd struct {
	Bucket   string `arg:"" help:"The bucket."`
	Pairs    string `arg:"" help:"A file of lines: source key, space, destination key."`
	Parallel int    `help:"Copies at a time." default:"256"`
}

func (c *copyCmd) Run(ctx *runContext) error {
	pairs, err := os.Open(c.Pairs)
	if err != nil {
		return err
	}
	defer pairs.Close() //nolint:errcheck // It was only read.
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	g, copying := errgroup.WithContext(ctx)
	lines := make(chan string)
	for range c.Parallel {
		g.Go(func() error { return c.copy(copying, client, lines) })
	}
	g.Go(func() error {
		defer close(lines)
		scanner := bufio.NewScanner(pairs)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			case <-copying.Done():
				return copying.Err()
			}
		}
		return scanner.Err()
	})
	return g.Wait()
}

func (c *copyCmd) client(ctx context.Context) (*s3.Client, error) {
	tuned := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = c.Parallel, c.Parallel
	})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(tuned))
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), err
}

func (c *copyCmd) copy(ctx context.Context, client *s3.Client, lines <-chan string) error {
	for line := range lines {
		src, dst, _ := strings.Cut(line, " ")
		source := c.Bucket + "/" + src
		if _, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &c.Bucket, Key: &dst, CopySource: &source}); err != nil {
			return fmt.Errorf("copy %s to %s: %w", src, dst, err)
		}
	}
	return nil
}

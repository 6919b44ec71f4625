package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// pullCmd measures the download of a dataset version of a season to an empty folder. s5cmd
// downloads the same keys, without any checks.
type pullCmd struct {
	settings
}

func (c *pullCmd) Run(ctx *runContext) error {
	rows, size, err := c.measure(ctx)
	if err == nil {
		printPulls(ctx.out, rows, size)
	}
	return err
}

// measure also returns the size of all images in bytes.
func (c *pullCmd) measure(ctx context.Context) (rows []*peer, size int64, err error) {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return nil, 0, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	frames, err := w.publishVersion(ctx)
	if err != nil {
		return nil, 0, err
	}
	dir := filepath.Join(w.dir, "pulled")
	rows = []*peer{{name: "shuffle pull", tasks: frames, program: program{path: c.Shuffle, args: []string{"pull", dir}}}}
	if c.S5cmd != "" {
		rows = append(rows, &peer{name: "s5cmd cp", tasks: frames, program: w.s5cmd("cp", fmt.Sprintf("s3://%s/%s*", bucketName, w.layout().ML()), dir+"/")})
	}
	err = c.inTurn(rows, func(p *peer) error {
		if err := p.measure(ctx, w); err != nil {
			return err
		}
		found := 0
		if found, size, err = imagesIn(dir); err != nil {
			return err
		}
		if found != frames {
			return fmt.Errorf("%s: %d images are there, expected %d", p.name, found, frames)
		}
		return os.RemoveAll(dir)
	})
	return rows, size, err
}

func printPulls(out *strings.Builder, rows []*peer, size int64) {
	t := newTable(out, "program", "images", "size", "wall", "CPU an image", "CPU of the server", "peak memory", "connections")
	for _, p := range rows {
		t.row(p.name, p.tasks, bytesSize(size), p.rounds.wall(), p.rounds.cpuPerTask(p.tasks),
			p.rounds.perTask(p.tasks, func(m measured) time.Duration { return m.server.CPU }), p.rounds.memory(), p.rounds.connections())
	}
}

// publishVersion draws the season's images, and runs the program once. It returns the number of
// frames in the version.
func (w *world) publishVersion(ctx context.Context) (frames int, err error) {
	if err := w.fill(ctx, bucketName); err != nil {
		return 0, err
	}
	_, b, err := w.open(ctx, bucketName)
	if err != nil {
		return 0, err
	}
	say("drawing %d images", len(w.images))
	if err := w.season.WriteImages(ctx, b); err != nil {
		return 0, err
	}
	if _, err := w.measure(ctx, program{path: w.Shuffle, args: []string{"run", "--seed", seed}}); err != nil {
		return 0, err
	}
	return w.count(ctx, bucketName, w.layout().ML())
}

// imagesIn returns the number of images in a folder, and their size in bytes.
func imagesIn(dir string) (n int, size int64, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".jpg") {
			return err
		}
		stat, err := e.Info()
		if err != nil {
			return err
		}
		n, size = n+1, size+stat.Size()
		return nil
	})
	return n, size, err
}

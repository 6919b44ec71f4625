package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// world is a server and a season. The sheets are files, and the images are in buckets of the
// server.
type world struct {
	settings
	server  *server
	season  *season.Season   // has the episodes of all seasons
	seasons []*season.Season // of at most seasonEpisodes
	dir     string           // folder of all files that are written
	images  []string

	programs int // number of programs started
}

// bucketName is the bucket in the sheets, and the bucket of the program. The other programs have
// buckets of their own.
const bucketName = "bench"

func newWorld(ctx context.Context, s settings) (w *world, err error) {
	w = &world{settings: s}
	if w.dir, err = os.MkdirTemp("", "shuffle-bench-"); err != nil {
		return nil, err
	}
	if w.server, err = startServer(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if err := w.generate(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	for _, e := range w.season.Episodes {
		for _, f := range e.Images {
			w.images = append(w.images, e.ImagePrefix()+f.File())
		}
	}
	err = errors.Join(w.season.WriteSheets(w.sheets()), w.setenv())
	if err == nil {
		_, err = w.measure(ctx, program{path: w.Shuffle, args: []string{"setup"}})
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// seasonEpisodes is how many episodes a season has at most.
const seasonEpisodes = 36

func (w *world) generate() error {
	for left := w.Episodes; left > 0; left -= seasonEpisodes {
		s, err := season.Generate(season.Options{
			Season: fmt.Sprintf("S%02d", len(w.seasons)+1), Episodes: min(left, seasonEpisodes), Frames: w.Frames, Bucket: bucketName,
		})
		if err != nil {
			return err
		}
		if w.season == nil {
			w.season = &season.Season{Options: s.Options}
		}
		w.seasons, w.season.Episodes = append(w.seasons, s), append(w.season.Episodes, s.Episodes...)
	}
	return nil
}

func (w *world) close() error {
	var err error
	if w.server != nil {
		err = w.server.stop()
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

// logs is the path of a program's log.
func (w *world) logs(p program) string {
	dir := w.dir
	if w.Logs != "" {
		dir = w.Logs
	}
	w.programs++
	return filepath.Join(dir, fmt.Sprintf("%03d-%s.log", w.programs, filepath.Base(p.path)))
}

func (w *world) sheets() string { return filepath.Join(w.dir, "sheets") }

// setenv sets the environment for the server in this process, which the started processes inherit.
func (w *world) setenv() error {
	var all []error
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": w.server.AWS, "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
		"SHUFFLE_BUCKET": "s3://" + bucketName, "SHUFFLE_SHEETS": "file://" + filepath.ToSlash(w.sheets()),
		"SHUFFLE_CONCURRENCY": fmt.Sprint(w.Parallel), "SHUFFLE_LOG_LEVEL": "info",
	} {
		all = append(all, os.Setenv(name, value))
	}
	return errors.Join(all...)
}

// fill creates a bucket again with the season's images, its manifest and further keys.
func (w *world) fill(ctx context.Context, name string, further ...string) error {
	if err := w.server.configure(ctx, benchFast); err != nil {
		return err
	}
	if err := w.server.fill(ctx, name, append(further, w.images...)); err != nil {
		return err
	}
	_, b, err := w.open(ctx, name)
	if err != nil {
		return err
	}
	for _, s := range w.seasons {
		if err := s.WriteManifest(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) open(ctx context.Context, name string) (*state.Store, open.Bucket, error) {
	b, _, err := open.New(w.Parallel).Bucket(ctx, "s3://"+name)
	return &state.Store{Bucket: b, Layout: w.layout()}, b, err
}

func (w *world) layout() dataset.Layout { return dataset.Layout{Prefix: w.season.Options.Prefix} }

// unsortedClass is a class folder of an earlier time.
const unsortedClass = "Unsorted"

// unsorted are the keys of all classified frames of the first episodes in that folder, so each of
// these frames has to move.
func (w *world) unsorted(episodes int) (keys []string) {
	for _, e := range w.season.Episodes[:episodes] {
		classes, _ := e.Wanted()
		for _, f := range e.Images {
			if classes[f] != "" {
				keys = append(keys, w.layout().Key(dataset.Place{Dataset: "train", Class: unsortedClass}, f))
			}
		}
	}
	return keys
}

// wanted are the keys of all frames in the places that the sheets define.
func (w *world) wanted(ctx context.Context) (keys []string, err error) {
	tasks, err := w.review(ctx)
	for _, t := range tasks {
		keys = append(keys, t.Dst)
	}
	return keys, err
}

// current returns the program's newest run.
func (w *world) current(ctx context.Context) (store *state.Store, pointer state.PointerSnapshot, err error) {
	if store, _, err = w.open(ctx, bucketName); err == nil {
		pointer, err = store.Current(ctx, state.PointerSnapshot{})
	}
	return store, pointer, err
}

// tasks reads the plan of the newest run.
func (w *world) tasks(ctx context.Context) ([]messages.Task, error) {
	store, pointer, err := w.current(ctx)
	if err != nil {
		return nil, err
	}
	var tasks []messages.Task
	for chunk := range state.Chunks(pointer.Tasks) {
		part, err := store.ReadTasks(ctx, pointer.Run, chunk)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, part...)
	}
	return tasks, nil
}

// count returns the number of objects below a prefix.
func (w *world) count(ctx context.Context, name, prefix string) (n int, err error) {
	err = w.walk(ctx, name, prefix, func(string) { n++ })
	return n, err
}

// walk lists the keys below a prefix.
func (w *world) walk(ctx context.Context, name, prefix string, found func(key string)) error {
	_, b, err := w.open(ctx, name)
	if err != nil {
		return err
	}
	for page, err := range bucket.Pages(ctx, b, bucket.ListInput{Prefix: prefix}) {
		if err != nil {
			return err
		}
		for _, o := range page.Objects {
			found(o.Key)
		}
	}
	return nil
}

// write writes lines to a file and returns its path.
func (w *world) write(name string, lines []string) (path string, err error) {
	path = filepath.Join(w.dir, name)
	return path, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

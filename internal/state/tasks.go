package state

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// ChunkTasks is the number of tasks in one object of a plan. The last object has the rest.
const ChunkTasks = 10_000

// Chunks returns the number of objects for a number of tasks.
func Chunks(tasks int) int { return (tasks + ChunkTasks - 1) / ChunkTasks }

func tasksName(run string, chunk int) string {
	return RunName(run, fmt.Sprintf("tasks-%05d.jsonl.zst", chunk))
}

// WriteTasks saves one chunk of a run's tasks.
func (s *Store) WriteTasks(ctx context.Context, run string, chunk int, tasks []messages.Task) error {
	return writeLines(ctx, s, tasksName(run, chunk), tasks)
}

// ReadTasks reads one chunk of a run's tasks. The error is ErrDamaged when the object is another
// chunk, or belongs to another run.
func (s *Store) ReadTasks(ctx context.Context, run string, chunk int) ([]messages.Task, error) {
	tasks, err := ReadLines[messages.Task](ctx, s, tasksName(run, chunk))
	if err == nil && len(tasks) > 0 {
		err = s.checkChunk(run, chunk, tasks[0], tasks[len(tasks)-1], len(tasks))
	}
	return tasks, err
}

// checkChunk compares the first and the last of a chunk's n tasks with its name.
func (s *Store) checkChunk(run string, chunk int, first, last messages.Task, n int) error {
	begin := uint32(chunk) * ChunkTasks
	if first.Run == run && last.Run == run && first.Seq == begin && last.Seq == begin+uint32(n)-1 {
		return nil
	}
	return fmt.Errorf("read %s%s: %w: it has tasks %d to %d of run %.100q", s.Layout.State(), tasksName(run, chunk), ErrDamaged, first.Seq, last.Seq, first.Run)
}

// taskEntries reads one chunk of a run's tasks as messages. A line of the chunk is a task's message
// body.
func (s *Store) taskEntries(ctx context.Context, run string, chunk int) ([]queue.Entry, error) {
	plain, err := s.readPlain(ctx, tasksName(run, chunk))
	if err != nil {
		return nil, err
	}
	text := string(plain) // one copy that all bodies share
	entries := make([]queue.Entry, 0, ChunkTasks)
	for line := range strings.Lines(text) {
		entries = append(entries, queue.Entry{Body: strings.TrimSuffix(line, "\n")})
	}
	if len(entries) == 0 {
		return nil, nil
	}
	var ends [2]messages.Task
	for i, e := range []queue.Entry{entries[0], entries[len(entries)-1]} {
		if err := json.Unmarshal([]byte(e.Body), &ends[i]); err != nil {
			return nil, fmt.Errorf("read %s%s: %w: %w", s.Layout.State(), tasksName(run, chunk), ErrDamaged, err)
		}
	}
	return entries, s.checkChunk(run, chunk, ends[0], ends[1], len(entries))
}

// TasksOf reads the tasks of one frame in a chunk of a run, without decoding the others.
func (s *Store) TasksOf(ctx context.Context, run string, chunk int, f dataset.Frame) ([]messages.Task, error) {
	plain, err := s.readPlain(ctx, tasksName(run, chunk))
	if err != nil {
		return nil, err
	}
	var found []messages.Task
	for line := range bytes.Lines(plain) {
		if !bytes.Contains(line, []byte(f)) {
			continue
		}
		var t messages.Task
		if err := json.Unmarshal(line, &t); err != nil {
			return nil, fmt.Errorf("read %s: %w", tasksName(run, chunk), err)
		}
		if t.Frame == f {
			found = append(found, t)
		}
	}
	return found, nil
}

// Expected is the object that should be at one key of the destination at the end of a run.
type Expected struct {
	Place   dataset.Place
	Frame   dataset.Frame
	ETag    string // of the destination; for what a task copies, the source's
	SrcETag string // of the source, where it differs and is known
	Copied  bool   // a task of the run writes it, so a result may name another ETag
}

// expectedLine is an Expected in JSON.
type expectedLine struct {
	Key     string `json:"k"` // relative to <prefix>/ML/
	ETag    string `json:"e"`
	SrcETag string `json:"s,omitempty"`
	Copied  bool   `json:"c,omitempty"`
}

func expectedName(run string, e dataset.Episode) string {
	return RunName(run, "expected-"+string(e)+".jsonl.zst")
}

// WriteExpected saves the objects of an episode that the destination should have at the end of the
// run.
func (s *Store) WriteExpected(ctx context.Context, run string, e dataset.Episode, all []Expected) error {
	lines := func(yield func(expectedLine) bool) {
		for _, x := range all {
			key := s.Layout.Key(x.Place, x.Frame)[len(s.Layout.ML()):]
			if !yield(expectedLine{key, x.ETag, x.SrcETag, x.Copied}) {
				return
			}
		}
	}
	return writeLinesIf(ctx, s, expectedName(run, e), lines, bucket.Condition{})
}

// ReadExpected reads the output of WriteExpected.
func (s *Store) ReadExpected(ctx context.Context, run string, e dataset.Episode) ([]Expected, error) {
	lines, err := ReadLines[expectedLine](ctx, s, expectedName(run, e))
	all := make([]Expected, len(lines))
	for i, line := range lines {
		place, frame, ok := s.Layout.Parse(s.Layout.ML() + line.Key)
		if !ok {
			return nil, fmt.Errorf("read %s: %q is no frame's key", expectedName(run, e), line.Key)
		}
		all[i] = Expected{Place: place, Frame: frame, ETag: line.ETag, SrcETag: line.SrcETag, Copied: line.Copied}
	}
	return all, err
}

// Pair means that a copy with ETag has the content of a source with SrcETag. Results report it
// where the copy changed the ETag (KMS, multipart uploads).
type Pair struct {
	ETag    string `json:"etag"`
	SrcETag string `json:"src_etag"`
}

// AddPairs saves pairs from the run's results. part names the object, so the same part overwrites
// itself.
func (s *Store) AddPairs(ctx context.Context, run, part string, pairs []Pair) error {
	return writeLines(ctx, s, RunName(run, "etags-"+part+".jsonl.zst"), pairs)
}

// TaskPair is a Pair with the task that made the copy, and the receive count of its delivery.
type TaskPair struct {
	Pair
	Seq      uint32 `json:"seq"`
	Attempts int    `json:"attempts,omitempty"`
}

// AddTaskPairs is AddPairs for pairs with their tasks. EachPair reads these too.
func (s *Store) AddTaskPairs(ctx context.Context, run, part string, pairs []TaskPair) error {
	return writeLines(ctx, s, RunName(run, "etags-"+part+".jsonl.zst"), pairs)
}

// EachTaskPair calls each for every pair that was saved with its task. It has one object in memory
// at a time.
func (s *Store) EachTaskPair(ctx context.Context, run string, each func(TaskPair) error) error {
	return eachPair(ctx, s, run, each)
}

// EachPair calls each for every saved pair of the run. It has one object in memory at a time.
func (s *Store) EachPair(ctx context.Context, run string, each func(Pair) error) error {
	return eachPair(ctx, s, run, each)
}

func eachPair[T Pair | TaskPair](ctx context.Context, s *Store, run string, each func(T) error) error {
	names, err := s.Names(ctx, RunName(run, "etags-"))
	if err != nil {
		return err
	}
	for _, name := range names {
		pairs, err := ReadLines[T](ctx, s, RunName(run, "etags-"+name))
		if err != nil {
			return err
		}
		for _, p := range pairs {
			if err := each(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeLines[T any](ctx context.Context, s *Store, name string, lines []T) error {
	return WriteLinesIf(ctx, s, name, lines, bucket.Condition{})
}

// WriteLinesIf saves JSON values, one a line, compressed.
func WriteLinesIf[T any](ctx context.Context, s *Store, name string, lines []T, cond bucket.Condition) error {
	return writeLinesIf(ctx, s, name, slices.Values(lines), cond)
}

func writeLinesIf[T any](ctx context.Context, s *Store, name string, lines iter.Seq[T], cond bucket.Condition) error {
	var text Text
	enc := json.NewEncoder(&text) // one Write a line, so that a block ends with a line
	enc.SetEscapeHTML(false)
	for line := range lines {
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	_, err := s.Write(ctx, name, text.Packed(), cond)
	return err
}

// ReadLines reads the output of WriteLinesIf.
func ReadLines[T any](ctx context.Context, s *Store, name string) ([]T, error) {
	plain, err := s.readPlain(ctx, name)
	if err != nil {
		return nil, err
	}
	return ParseLines[T](plain)
}

func (s *Store) readPlain(ctx context.Context, name string) ([]byte, error) {
	c, err := s.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	plain, err := Unpack(c.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s%s: %w", s.Layout.State(), name, err)
	}
	return plain, nil
}

// ParseLines reads JSON values, one a line.
func ParseLines[T any](body []byte) ([]T, error) {
	lines := make([]T, 0, bytes.Count(body, []byte{'\n'}))
	scanner := bufio.NewScanner(bytes.NewReader(body))
	scanner.Buffer(nil, 4<<20)
	for scanner.Scan() {
		var v T
		if err := json.Unmarshal(scanner.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrDamaged, len(lines)+1, err)
		}
		lines = append(lines, v)
	}
	return lines, scanner.Err()
}

// GoodLines reads JSON values, one a line, of an object that is only shown to people. It skips and
// counts damaged lines, because they must not block anything. A person or an incomplete write may
// have damaged them.
func GoodLines[T any](body []byte) (lines []T, bad int) {
	for line := range bytes.Lines(body) {
		var v T
		switch {
		case len(bytes.TrimSpace(line)) == 0:
		case json.Unmarshal(line, &v) != nil:
			bad++
		default:
			lines = append(lines, v)
		}
	}
	return lines, bad
}

// Runs lists the runs, oldest first. It orders them by generation, because the times in their names
// come from the planners' clocks.
func (s *Store) Runs(ctx context.Context) ([]string, error) {
	names, err := s.Names(ctx, "runs/")
	if err != nil {
		return nil, err
	}
	var runs []string
	for _, name := range names {
		if run, ok := strings.CutSuffix(name, "/"); ok {
			runs = append(runs, run)
		}
	}
	slices.SortFunc(runs, CompareRuns)
	return runs, nil
}

// HasRun reports whether this state has any object of a run.
func (s *Store) HasRun(ctx context.Context, run string) (bool, error) {
	page, err := s.Bucket.ListObjects(ctx, bucket.ListInput{Prefix: s.Layout.State() + RunName(run, ""), MaxKeys: 1})
	return len(page.Objects) > 0, err
}

// CompareRuns orders the names of runs by their generation. Names without a generation come first.
func CompareRuns(a, b string) int {
	return cmp.Or(cmp.Compare(GenerationOf(a), GenerationOf(b)), strings.Compare(a, b))
}

// LastGeneration is the highest generation of a run or a dataset version, or 0 without any. A new
// pointer continues from it when the old one was deleted.
func (s *Store) LastGeneration(ctx context.Context) (int64, error) {
	var names, versions []string
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { names, err = s.Runs(ctx); return err })
	g.Go(func() (err error) { versions, err = s.Names(ctx, "versions/"); return err })
	if err := g.Wait(); err != nil {
		return 0, err
	}
	var last int64
	for _, run := range names {
		last = max(last, GenerationOf(run))
	}
	for _, version := range versions {
		if generation, err := strconv.ParseInt(strings.TrimSuffix(version, "/"), 10, 64); err == nil {
			last = max(last, generation)
		}
	}
	return last, nil
}

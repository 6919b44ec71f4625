package worker

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/messages"
)

// `make bench` simulates more than `make test`.
var (
	seasonsWindow = flag.Duration("seasons.window", 5*time.Second, "what TestHundredSeasons counts in, of the time that it simulates")
	seasonsDepth  = flag.Int("seasons.depth", 2, "how finely it parts the bucket: 2 not at all, 3 by datasets, 4 by classes too")
)

const (
	seasonsFrames  = 100 * 12 * 28_800
	seasonsWorkers = 50
	seasonsSettle  = 15 * time.Second // until the workers have found their pace
	partitionRate  = 3500             // writes a second that S3 grants each, see pace
)

// crowd is S3 and SQS for any number of workers: latency, and a limit of writes for each partition
// of the bucket, which S3 makes of the keys' first parts. The tasks move the frames of many
// seasons, one after the other.
type crowd struct {
	Pointer
	depth int // how many parts of a key, between slashes, make a partition

	mu     sync.Mutex
	limits map[string]*limited
	next   atomic.Int64
}

// seat is one worker's way to them.
type seat struct {
	*crowd
	served atomic.Int64 // copies
}

func (c *crowd) partitionOf(key string) string {
	parts := strings.SplitN(key, "/", c.depth+1)
	return strings.Join(parts[:c.depth], "/")
}

func (c *crowd) take(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.partitionOf(key)
	if c.limits[p] == nil {
		c.limits[p] = newLimited(0, partitionRate, partitionRate/10, 0)
	}
	return c.limits[p].take()
}

func (s *seat) CopyObject(ctx context.Context, _, dst, ifMatch string) (string, error) {
	ok := s.take(dst)
	_ = retry.Sleep(ctx, 40*time.Millisecond)
	if !ok {
		return "", s3Error("CopyObject", bucket.CodeSlowDown, 503)
	}
	s.served.Add(1)
	return ifMatch, nil
}

func (s *seat) DeleteObjects(ctx context.Context, keys []string) (refused []*bucket.Error, err error) {
	for _, key := range keys {
		if !s.take(key) {
			e := s3Error("DeleteObjects", bucket.CodeSlowDown, 0)
			e.Key = key
			refused = append(refused, e)
		}
	}
	_ = retry.Sleep(ctx, 40*time.Millisecond)
	return refused, nil
}

func (s *seat) HeadObject(context.Context, string) (bucket.Object, error) {
	return bucket.Object{}, bucket.ErrNotFound
}

func (s *seat) ReceiveMessage(ctx context.Context, most int, _ time.Duration) (got []queue.Message, err error) {
	_ = retry.Sleep(ctx, 10*time.Millisecond)
	for range most {
		got = append(got, queue.Message{Body: seasonsTask(int(s.next.Add(1) - 1)).Encode(), Receipt: "receipt", ReceiveCount: 1})
	}
	return got, nil
}

func (s *seat) SendMessageBatch(ctx context.Context, _ []queue.Entry) ([]queue.Failure, error) {
	_ = retry.Sleep(ctx, 10*time.Millisecond)
	return nil, nil
}

func (s *seat) DeleteMessageBatch(ctx context.Context, _ []string) ([]queue.Failure, error) {
	_ = retry.Sleep(ctx, 10*time.Millisecond)
	return nil, nil
}

func (s *seat) ChangeMessageVisibilityBatch(context.Context, []string, time.Duration) ([]queue.Failure, error) {
	return nil, nil
}

func (s *seat) GetQueueAttributes(context.Context) (queue.Attributes, error) {
	return queue.Attributes{VisibilityTimeout: time.Minute}, nil
}

// seasonsTask moves a frame of a class that about 40 neighbours share from one dataset to another.
func seasonsTask(n int) messages.Task {
	drawn := rand.New(rand.NewPCG(7, uint64(n)))
	class := pick(rand.New(rand.NewPCG(8, uint64(n/40))), []string{"Common", "Junk", "Uncommon", "Rare", "Legendary"}, []float64{0.5, 0.24, 0.16, 0.08, 0.02})
	datasets, ratios := []string{"train", "validate", "test"}, []float64{0.7, 0.1, 0.2}
	to, from := pick(drawn, datasets, ratios), pick(drawn, datasets, ratios)
	for from == to {
		from = pick(drawn, datasets, ratios)
	}
	task := taskOf(n%28_800, messages.Move)
	task.Dst, task.Del = dstKey(n%28_800, to, class), []string{dstKey(n%28_800, from, class)}
	return task
}

// pick draws one of the names by their shares, whose sum is 1.
func pick(drawn *rand.Rand, names []string, shares []float64) string {
	u := drawn.Float64()
	for i, share := range shares {
		if u -= share; u < 0 {
			return names[i]
		}
	}
	return names[0]
}

// best is how many writes a second the partitions together can take of these tasks, the fullest of
// them at its limit.
func (c *crowd) best() float64 {
	writes, most, all := map[string]int{}, 0, 0
	for n := range 20_000 {
		task := seasonsTask(n)
		for _, key := range append(task.Del, task.Dst) {
			p := c.partitionOf(key)
			writes[p]++
			all, most = all+1, max(most, writes[p])
		}
	}
	return partitionRate * float64(all) / float64(most)
}

// crowded is what was counted in the window.
type crowded struct {
	writes, refused float64 // a second
	copies          []int   // of each worker
}

// run has workers work until the window ends.
func (c *crowd) run(t *testing.T, workers int, window time.Duration) (in crowded) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c.Pointer, c.limits = newWorld(t).store, map[string]*limited{}
		seats := make([]*seat, workers)
		var all sync.WaitGroup
		for i := range seats {
			s := &seat{crowd: c}
			seats[i] = s
			all.Go(func() {
				if err := New(Config{ID: "w", Layout: layout, Bucket: s, Tasks: s, Results: s, DeadLetters: s, Pointer: s}).Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		<-time.After(seasonsSettle)
		before := c.count(seats)
		<-time.After(window)
		in = c.count(seats)
		cancel()
		all.Wait()
		in.writes, in.refused = (in.writes-before.writes)/window.Seconds(), (in.refused-before.refused)/window.Seconds()
		for i := range in.copies {
			in.copies[i] -= before.copies[i]
		}
	})
	return in
}

func (c *crowd) count(seats []*seat) (n crowded) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.limits {
		n.writes, n.refused = n.writes+float64(l.served), n.refused+float64(l.refused)
	}
	for _, s := range seats {
		n.copies = append(n.copies, int(s.served.Load()))
	}
	return n
}

// TestHundredSeasons is 50 whole workers, in simulated time, at a bucket whose limit each partition
// has by itself: how long would they take for 100 seasons? S3 does not show where it parts a
// bucket, and takes tens of minutes to do it; so there are several answers.
func TestHundredSeasons(t *testing.T) {
	names := map[int]string{2: "one partition", 3: "one for each dataset", 4: "one for each class of each dataset"}
	for depth := 2; depth <= *seasonsDepth; depth++ {
		t.Run(names[depth], func(t *testing.T) {
			c := &crowd{depth: depth}
			in, best := c.run(t, seasonsWorkers, *seasonsWindow), c.best()
			equal := float64(sum(in.copies)) / seasonsWorkers
			least, most := float64(slices.Min(in.copies))/equal, float64(slices.Max(in.copies))/equal
			refused := in.refused / (in.writes + in.refused)
			t.Logf("%.0f writes/s, %.1f%% of the %.0f that the fullest partition lets through, %.1f%% refused; a worker does %.2f to %.2f of an equal share; %d moves take %.1f h",
				in.writes, 100*in.writes/best, best, 100*refused, least, most, seasonsFrames, 2*seasonsFrames/in.writes/3600)
			if in.writes < 0.95*best || refused > 0.1 || least < 0.3 || most > 3 {
				t.Error("the workers leave too much of the limit, ask for too much beyond it, or starve one another")
			}
		})
	}
}

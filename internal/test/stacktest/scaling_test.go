package stacktest_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
)

// fargate has the prices of one processor and one gigabyte for an hour in dollars, us-west-2, Linux
// (aws.amazon.com/fargate/pricing).
type fargate struct{ vcpu, gb float64 }

var (
	x86 = fargate{0.04048, 0.004445}
	arm = fargate{0.03238, 0.00356}
)

func (f fargate) worker() float64  { return f.vcpu + 2*f.gb + addressHour }
func (f fargate) spot() float64    { return (f.vcpu+2*f.gb)*spotShare + addressHour }
func (f fargate) tracker() float64 { return f.vcpu/2 + 2*f.gb + addressHour }

// Other prices in dollars, us-west-2, without free tiers (aws.amazon.com/s3/pricing, /sqs, /vpc).
const (
	addressHour = 0.005
	spotShare   = 0.3 // of the on-demand price, approximately
	copyRequest = 5.0 / 1e6
	listRequest = 5.0 / 1e6
	sqsRequest  = 0.4 / 1e6
	sqsPerTask  = 0.4 // requests
)

// cost is the cost of the workers and of the requests of a course.
func (f fargate) cost(c stacktest.Course) (workers, requests float64) {
	workers = float64(c.First)/3600*f.worker() + float64(c.Further)/3600*f.spot()
	return workers, float64(c.Done) * (copyRequest + sqsPerTask*sqsRequest)
}

const (
	minute = 60
	day    = 24 * 60 * minute

	seasonFrames = 345_600
	sends        = 2_500 // messages per second of a planner
)

// aSeason is published as fast as possible.
func aSeason(second int) int { return min(sends, max(0, seasonFrames-second*sends)) }

// aTrickle is some hundred frames once a day.
func aTrickle(second int) int {
	if second%day == 0 {
		return 300
	}
	return 0
}

func nothing(int) int { return 0 }

// measured is the rate of one worker in the benchmark "limit": 97% of 3,500 a second
// (docs/speed.md). A worker of the stack has one vCPU, half of the cores of the benchmark. So the
// usual rate here is less than half of it.
const measured = 3_400

func usual(published func(int) int) stacktest.World { return at(1_500, published) }

func at(rate int, published func(int) int) stacktest.World {
	return stacktest.World{Start: 60, QueueLag: 1, TaskLag: 2, Rate: rate, Limit: 3500, Verify: 60, Published: published}
}

// slow has the rate of a prefix that S3 has just begun to partition.
func slow(published func(int) int) stacktest.World {
	w := at(300, published)
	w.QueueLag = 2
	return w
}

// late has the maximum delay of all metrics: 15 minutes for those of a queue that wakes.
func late(published func(int) int) stacktest.World {
	w := usual(published)
	w.QueueLag, w.TaskLag, w.WakeLag = 3, 3, 15
	return w
}

// TestScaling simulates how the template starts and ends workers. docs/aws.md has the figures; go
// test -v prints them.
func TestScaling(t *testing.T) {
	scaling, err := stack(t, source(t), everything).Scaling()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		world          stacktest.World
		seconds        int
		tasks, most    int // expected
		minutes        int // limit of the minutes to drain
		dollars        float64
		workersAtStart []int // by minute, the expected shape
	}{
		{"a season at once", usual(aSeason), 2 * 60 * minute, seasonFrames, 4, 10, 0.15, []int{0, 0, 0, 0, 1}},
		{"a season at once, a worker as fast as measured", at(measured, aSeason), 2 * 60 * minute, seasonFrames, 4, 8, 0.15, []int{0, 0, 0, 0, 1}},
		{"a season at once, a worker half as fast", at(750, aSeason), 2 * 60 * minute, seasonFrames, 4, 12, 0.15, []int{0, 0, 0, 0, 1}},
		{"a season at once, slow S3", slow(aSeason), 2 * 60 * minute, seasonFrames, 4, 15, 0.15, []int{0, 0, 0, 0, 0, 1}},
		{"a season at once, late metrics", late(aSeason), 2 * 60 * minute, seasonFrames, 4, 25, 0.15, []int{0, 0, 0, 0}},
		{"a trickle, a week", usual(aTrickle), 7 * day, 7 * 300, 1, 0, 0.15, []int{0, 0, 0, 0, 1}},
		{"a trickle, late metrics, a week", late(aTrickle), 7 * day, 7 * 300, 1, 0, 0.15, []int{0, 0, 0, 0}},
		{"an idle week", usual(nothing), 7 * day, 0, 0, 0, 0, []int{0, 0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scaling.Simulate(c.world, c.seconds)
			workers, requests := x86.cost(got)
			t.Logf("workers by minute %s; trackers %s; drained after %d s, verified after %d s; %d worker-minutes; workers $%.3f, requests $%.3f",
				shape(got.Workers), shape(got.Trackers), got.Drained, got.Ended, (got.First+got.Further)/60, workers, requests)
			if got.Done != c.tasks {
				t.Errorf("%d tasks done, expected %d", got.Done, c.tasks)
			}
			if most := slices.Max(got.Workers); most > c.most {
				t.Errorf("%d workers, expected %d at most", most, c.most)
			}
			if c.minutes > 0 && got.Drained > c.minutes*minute {
				t.Errorf("drained after %d s, expected %d minutes at most", got.Drained, c.minutes)
			}
			if workers > c.dollars {
				t.Errorf("workers cost $%.3f, expected $%.3f at most", workers, c.dollars)
			}
			if c.tasks > 0 && got.Ended == 0 {
				t.Error("the last run was never verified")
			}
			if last := len(got.Workers) - 1; got.Workers[last] != 0 || got.Trackers[last] != 0 {
				t.Errorf("%d workers and %d trackers at the end", got.Workers[last], got.Trackers[last])
			}
			if got := got.Workers[:len(c.workersAtStart)]; !slices.Equal(got, c.workersAtStart) {
				t.Errorf("workers at first %v, expected %v", got, c.workersAtStart)
			}
		})
	}
}

// TestAlarmsThatStick: with the wakes and sleeps that work in emulators, late metrics stop
// everything.
func TestAlarmsThatStick(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		stuck    func(c stacktest.Course) bool
	}{
		"as it is": {"Resources:", "Resources:", func(stacktest.Course) bool { return false }},
		"the tracker's wake looks at one minute": {
			"      EvaluationPeriods: 5\n      DatapointsToAlarm: 1\n", "      EvaluationPeriods: 1\n",
			func(c stacktest.Course) bool { return c.Ended == 0 && slices.Max(c.Trackers) == 0 },
		},
		"the workers' wake looks at one minute": {
			"      EvaluationPeriods: 3\n      DatapointsToAlarm: 3\n", "      EvaluationPeriods: 1\n",
			func(c stacktest.Course) bool { return slices.Max(c.Workers) > 1 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(string(source(t)), c.old, c.new, 1)
			scaling, err := stack(t, []byte(body), everything).Scaling()
			if err != nil {
				t.Fatal(err)
			}
			w := usual(func(second int) int { // a few tasks all the time, for two hours
				if second < 2*60*minute {
					return 100
				}
				return 0
			})
			w.TaskLag = 3
			course := scaling.Simulate(w, 6*60*minute)
			if name == "as it is" && (course.Ended == 0 || slices.Max(course.Workers) > 1) {
				t.Errorf("verified after %d s, workers %s", course.Ended, shape(course.Workers))
			}
			if name != "as it is" && !c.stuck(course) {
				t.Errorf("not stuck: verified after %d s, workers %s, trackers %s", course.Ended, shape(course.Workers), shape(course.Trackers))
			}
		})
	}
}

// TestLongVerification: a verification that takes longer than the sleep alarm waits is not ended,
// because the tracker has a message of its own on the results queue. Without that message the
// tracker is ended, and nothing wakes it again.
func TestLongVerification(t *testing.T) {
	scaling, err := stack(t, source(t), everything).Scaling()
	if err != nil {
		t.Fatal(err)
	}
	for _, asleep := range []bool{false, true} {
		w := usual(aTrickle)
		w.Verify, w.Asleep = 2*60*minute, asleep
		course := scaling.Simulate(w, 10*60*minute)
		if ended := course.Ended > 0; ended == asleep {
			t.Errorf("without a message %v: verified after %d s, trackers %s", asleep, course.Ended, shape(course.Trackers))
		}
		if last := len(course.Trackers) - 1; course.Trackers[last] != 0 {
			t.Errorf("without a message %v: trackers %s", asleep, shape(course.Trackers))
		}
	}
}

// shape abbreviates repeated counts, such as 3×4: four workers for three minutes.
func shape(workers []int) string {
	var parts []string
	for len(workers) > 0 {
		n := slices.IndexFunc(workers, func(w int) bool { return w != workers[0] })
		if n < 0 {
			n = len(workers)
		}
		parts = append(parts, fmt.Sprintf("%d×%d", n, workers[0]))
		workers = workers[n:]
	}
	if len(parts) > 12 {
		parts = append(parts[:12], "…")
	}
	return strings.Join(parts, " ")
}

// TestGrowth: more tasks start more workers, never more than the limit, and never one without work.
func TestGrowth(t *testing.T) {
	const max = 10
	parameters := maps.Clone(everything)
	parameters["MaxWorkers"] = strconv.Itoa(max)
	scaling, err := stack(t, source(t), parameters).Scaling()
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	for _, tasks := range []int{1, 100_000, 500_000, 1_000_000, 5_000_000} {
		course := scaling.Simulate(slow(func(second int) int {
			if second == 0 {
				return tasks
			}
			return 0
		}), 12*60*minute)
		most := slices.Max(course.Workers)
		if course.Done != tasks || most < before || most > max {
			t.Errorf("%d tasks: %d done, %d workers, %d for fewer tasks", tasks, course.Done, most, before)
		}
		before = most
	}
	if before != max {
		t.Errorf("%d workers for five million tasks, expected all %d", before, max)
	}
}

// Other prices in dollars a month (aws.amazon.com/cloudwatch/pricing, /secrets-manager, /ecr,
// /kms).
const (
	alarmMonth     = 0.10 // for each metric; ten are free
	freeAlarms     = 10
	dashboardMonth = 3.0  // beyond the first three of the account
	metricMonth    = 0.30 // in proportion to the hours in which it is sent
	runMetrics     = 8
	kmsRequest     = 0.03 / 1e4
)

func BenchmarkScaling(b *testing.B) {
	s, err := stack(b, source(b), everything).Scaling()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c := s.Simulate(usual(aSeason), 2*60*minute)
		workers, requests := x86.cost(c)
		b.ReportMetric(float64(c.Drained), "s-to-drain")
		b.ReportMetric(workers+requests, "dollars")
	}
}

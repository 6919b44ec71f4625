package stacktest

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Scaling is what the template says of when workers come and go.
type Scaling struct {
	Max        int           // workers
	Backlog    float64       // waiting tasks for each running worker, beyond which there are to be more
	Wake       int           // workers that one wake adds
	WakePause  time.Duration // between two wakes
	SleepAfter int           // minutes without anything to do
}

// Scaling of the workers.
func (s *Stack) Scaling() (Scaling, error) {
	step := func(id string) any { return s.Resources[id].Properties["StepScalingPolicyConfiguration"] }
	adjustment := func(id string) int { return number(at(list(at(step(id), "StepAdjustments"))[0], "ScalingAdjustment")) }
	if at(step("WorkerWake"), "AdjustmentType") != "ChangeInCapacity" || at(step("WorkerSleep"), "AdjustmentType") != "ExactCapacity" || adjustment("WorkerSleep") != 0 {
		return Scaling{}, fmt.Errorf("read the scaling: the simulation knows a wake that adds and a sleep to zero only")
	}
	return Scaling{
		Max:        number(s.Resources["WorkerScaling"].Properties["MaxCapacity"]),
		Backlog:    float64(number(at(s.Resources["WorkerGrow"].Properties, "TargetTrackingScalingPolicyConfiguration", "TargetValue"))),
		Wake:       adjustment("WorkerWake"),
		WakePause:  time.Duration(number(at(step("WorkerWake"), "Cooldown"))) * time.Second,
		SleepAfter: number(s.Resources["WorkerSleepAlarm"].Properties["EvaluationPeriods"]),
	}, nil
}

// number of the template; parameters may be texts.
func number(v any) int {
	n, _ := strconv.Atoi(text(v))
	return n
}

// World is what the scaling works on.
type World struct {
	Start     int                  // seconds until a started task works: Fargate's provisioning and the image
	Lag       int                  // minutes until a metric is seen
	Rate      int                  // tasks a second of one worker
	Limit     int                  // tasks a second of the bucket
	Published func(second int) int // tasks that the planner sends in that second
}

// The high alarm of target tracking looks at three minutes, and growing rests for one (Application Auto Scaling User
// Guide, target tracking; the template's ScaleOutCooldown).
const (
	growPeriods = 3
	growPause   = 60
)

// Course is how it went, minute by minute.
type Course struct {
	Workers []int // that run or are being started, each of which costs
	Waiting []int // tasks
	Drained int   // the second in which nothing was left, after the last task came
	Done    int
	First   int // worker-seconds of the first worker, which is on demand
	Further int // worker-seconds of the others, which are on Spot
}

// Simulate runs the policy for so many seconds.
func (s Scaling) Simulate(w World, seconds int) Course {
	f := fleet{scaling: s, world: w, lastWake: math.MinInt / 2, lastGrow: math.MinInt / 2}
	for now := range seconds {
		f.second(now)
		if now%60 == 59 {
			f.minute(now)
		}
	}
	return f.course
}

// fleet is the state of a simulation.
type fleet struct {
	scaling            Scaling
	world              World
	started            []int // seconds in which each worker was started
	waiting            int
	ran                []int // workers that worked, by minute
	lastWake, lastGrow int
	course             Course
}

func (f *fleet) working(now int) (n int) {
	for _, s := range f.started {
		if now >= s+f.world.Start {
			n++
		}
	}
	return n
}

func (f *fleet) second(now int) {
	published := f.world.Published(now)
	f.waiting += published
	done := min(f.waiting, f.working(now)*f.world.Rate, f.world.Limit)
	f.waiting -= done
	f.course.Done += done
	f.course.First += min(1, len(f.started))
	f.course.Further += max(0, len(f.started)-1)
	if (published > 0 || done > 0) && f.waiting == 0 {
		f.course.Drained = now + 1
	}
}

// minute looks at the metrics as they are seen by now, in the order sleep, wake, grow.
func (f *fleet) minute(now int) {
	f.course.Workers = append(f.course.Workers, len(f.started))
	f.course.Waiting = append(f.course.Waiting, f.waiting)
	f.ran = append(f.ran, f.working(now))
	seen := len(f.ran) - f.world.Lag
	if seen < 1 {
		return
	}
	waiting, ran := f.course.Waiting[:seen], f.ran[:seen]
	switch {
	case f.idle(waiting):
		f.started = nil
	case waiting[seen-1] > 0 && ran[seen-1] == 0 && now-f.lastWake >= int(f.scaling.WakePause.Seconds()):
		f.lastWake = now
		f.start(now, len(f.started)+f.scaling.Wake)
	case now-f.lastGrow >= growPause:
		if wanted := f.wanted(waiting, ran); wanted > len(f.started) {
			f.lastGrow = now
			f.start(now, wanted)
		}
	}
}

func (f *fleet) idle(waiting []int) bool {
	if len(waiting) < f.scaling.SleepAfter {
		return false
	}
	for _, n := range waiting[len(waiting)-f.scaling.SleepAfter:] {
		if n > 0 {
			return false
		}
	}
	return true
}

// wanted is the capacity by target tracking: in proportion to the metric, when it was over the target for all periods.
func (f *fleet) wanted(waiting, ran []int) int {
	if len(waiting) < growPeriods {
		return 0
	}
	var last float64
	for i := len(waiting) - growPeriods; i < len(waiting); i++ {
		last = float64(waiting[i]) / float64(cmp.Or(ran[i], 1))
		if last <= f.scaling.Backlog {
			return 0
		}
	}
	return int(math.Ceil(float64(max(1, len(f.started))) * last / f.scaling.Backlog))
}

func (f *fleet) start(now, wanted int) {
	for len(f.started) < min(wanted, f.scaling.Max) {
		f.started = append(f.started, now)
	}
}

package stacktest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Scaling has the template's rules that start and end workers and trackers.
type Scaling struct {
	Backlog         float64 // waiting tasks per worker that start more workers
	worker, tracker policy
}

// policy is the scaling policy of one service.
type policy struct {
	max         int // limit of the service's tasks
	step        int // change of the number of tasks by a wake, or the number that a wake sets
	adds        bool
	pause       time.Duration // between two wakes
	wake, sleep Alarm
}

// Scaling reads the scaling of the stack's services.
func (s *Stack) Scaling() (Scaling, error) {
	worker, workerErr := s.policy("Worker")
	tracker, trackerErr := s.policy("Tracker")
	backlog := number(at(s.Resources["WorkerGrow"].Properties, "TargetTrackingScalingPolicyConfiguration", "TargetValue"))
	return Scaling{float64(backlog), worker, tracker}, errors.Join(workerErr, trackerErr)
}

func (s *Stack) policy(service string) (policy, error) {
	step := func(id string) any { return s.Resources[id].Properties["StepScalingPolicyConfiguration"] }
	adjustment := func(id string) int { return number(at(list(at(step(id), "StepAdjustments"))[0], "ScalingAdjustment")) }
	wake, sleep := service+"Wake", service+"Sleep"
	if at(step(sleep), "AdjustmentType") != "ExactCapacity" || adjustment(sleep) != 0 {
		return policy{}, fmt.Errorf("read the scaling: %s does not set the capacity to zero", sleep)
	}
	wakeAlarm, wakeErr := s.Alarm(wake + "Alarm")
	sleepAlarm, sleepErr := s.Alarm(sleep + "Alarm")
	return policy{
		max: number(s.Resources[service+"Scaling"].Properties["MaxCapacity"]), step: adjustment(wake), adds: at(step(wake), "AdjustmentType") == "ChangeInCapacity",
		pause: time.Duration(number(at(step(wake), "Cooldown"))) * time.Second, wake: wakeAlarm, sleep: sleepAlarm,
	}, errors.Join(wakeErr, sleepErr)
}

// number reads a number of the template; parameters may be texts.
func number(v any) int {
	n, _ := strconv.Atoi(text(v))
	return n
}

// World has the conditions of a simulation.
type World struct {
	Start     int                  // seconds until a started task works: provisioning and image
	QueueLag  int                  // minutes until a metric of a queue is visible
	TaskLag   int                  // minutes until a metric of a service is visible
	WakeLag   int                  // delay in minutes for a queue idle for six hours
	Rate      int                  // tasks per second of one worker
	Limit     int                  // tasks per second of the bucket
	Verify    int                  // duration of a verification in seconds
	Asleep    bool                 // a verifying tracker has no message of its own
	Published func(second int) int // tasks that the planner sends in that second
}

const (
	// The high alarm of target tracking evaluates three minutes, and after each growth it pauses
	// for one (Application Auto Scaling User Guide, target tracking; the template's
	// ScaleOutCooldown).
	growPeriods = 3
	growPause   = 60

	// inactive is the number of seconds without messages or calls after which SQS stops its metrics
	// (SQS Developer Guide).
	inactive = 6 * 60 * 60
)

// Course is the result of a simulation, minute by minute.
type Course struct {
	Workers  []int // running or starting; each of them costs
	Trackers []int
	Waiting  []int // tasks
	Drained  int   // the second in which no task was left, after the last task was published
	Ended    int   // the second in which the last run was verified; 0 while a run is open
	Done     int
	First    int // worker-seconds of the first worker, which runs on demand
	Further  int // worker-seconds of the others, which run on Spot
}

// Simulate runs the policies for this many seconds.
func (s Scaling) Simulate(w World, seconds int) Course {
	f := fleet{scaling: s, world: w, lastGrow: math.MinInt / 2, active: math.MinInt / 2}
	f.worker = service{policy: s.worker, lastWake: math.MinInt / 2}
	f.tracker = service{policy: s.tracker, lastWake: math.MinInt / 2}
	for now := range seconds {
		f.second(now)
		if now%60 == 59 {
			f.minute(now)
		}
	}
	return f.course
}

// service is one of the two services, with its tasks.
type service struct {
	policy   policy
	started  []int // seconds at which each task was started
	lastWake int
}

func (s *service) working(now, start int) (n int) {
	for _, begun := range s.started {
		if now >= begun+start {
			n++
		}
	}
	return n
}

func (s *service) grow(now, wanted int) {
	for len(s.started) < min(wanted, s.policy.max) {
		s.started = append(s.started, now)
	}
}

// scale applies the alarms, sleep before wake.
func (s *service) scale(now int, seen func(metric string, minute int) (float64, bool)) {
	minute := now / 60
	if s.policy.sleep.isBreaching(minute, seen) {
		s.started = nil
	}
	if now-s.lastWake < int(s.policy.pause.Seconds()) || !s.policy.wake.isBreaching(minute, seen) {
		return
	}
	s.lastWake = now
	wanted := s.policy.step
	if s.policy.adds {
		wanted += len(s.started)
	}
	s.grow(now, wanted)
}

// sample is a metric in a minute, and the first minute in which it is visible.
type sample struct {
	value float64
	there bool
	from  int
}

// fleet is the state of a simulation.
type fleet struct {
	scaling         Scaling
	world           World
	worker, tracker service
	waiting         int // tasks
	peak, inHand    int // the most tasks that were waiting, and that were in flight, in this minute
	results         int // results that no tracker has received
	own             int // the tracker's own messages in flight
	verifying       int // seconds of verification of the run so far
	open            bool
	metrics         map[string][]sample
	active          int // the second in which the queues were last used
	woken           int // the minute in which they were last used after a long idle time
	lastGrow        int
	course          Course
}

func (f *fleet) second(now int) {
	published := f.world.Published(now)
	f.waiting += published
	done := min(f.waiting, f.worker.working(now, f.world.Start)*f.world.Rate, f.world.Limit)
	f.peak, f.inHand = max(f.peak, f.waiting), max(f.inHand, done)
	f.waiting -= done
	f.results += done
	f.course.Done += done
	f.course.First += min(1, len(f.worker.started))
	f.course.Further += max(0, len(f.worker.started)-1)
	if (published > 0 || done > 0) && f.waiting == 0 {
		f.course.Drained = now + 1
	}
	if published > 0 {
		f.open, f.verifying, f.course.Ended = true, 0, 0
	}
	// A task that polls keeps the metrics of its queue active.
	if published > 0 || len(f.worker.started)+len(f.tracker.started) > 0 {
		if now-f.active > inactive {
			f.woken = now / 60
		}
		f.active = now
	}
	f.stepTracker(now)
}

// stepTracker simulates the tracker: it counts all results, and verifies a run whose tasks are all
// done. A tracker that is ended during verification starts the verification again. During
// verification it keeps a message of the results queue in flight, which becomes visible again when
// the tracker is ended.
func (f *fleet) stepTracker(now int) {
	if f.tracker.working(now, f.world.Start) == 0 {
		f.verifying, f.results, f.own = 0, f.results+f.own, 0
		return
	}
	f.results, f.own = 0, 0
	if !f.open || f.waiting > 0 {
		return
	}
	f.verifying++
	switch {
	case f.verifying > f.world.Verify:
		f.open, f.course.Ended = false, now+1
	case !f.world.Asleep:
		f.own = 1
	}
}

const (
	visible = " ApproximateNumberOfMessagesVisible"
	hidden  = " ApproximateNumberOfMessagesNotVisible"
	running = " CPUUtilization" // the metric whose sample count is the number of tasks
)

// minute records the metrics, and scales by those that are visible.
func (f *fleet) minute(now int) {
	f.course.Workers = append(f.course.Workers, len(f.worker.started))
	f.course.Trackers = append(f.course.Trackers, len(f.tracker.started))
	f.course.Waiting = append(f.course.Waiting, f.waiting)
	for name, value := range map[string]int{"tasks" + visible: f.peak, "tasks" + hidden: f.inHand, "results" + visible: f.results, "results" + hidden: f.own, "dead-letters" + visible: 0} {
		f.note(name, sample{float64(value), now-f.active <= inactive, max(now/60+f.world.QueueLag, f.woken+f.world.WakeLag)})
	}
	for name, s := range map[string]service{"worker": f.worker, "tracker": f.tracker} {
		n := s.working(now, f.world.Start)
		f.note(name+running, sample{float64(n), n > 0, now/60 + f.world.TaskLag})
	}
	f.peak, f.inHand = f.waiting, 0
	seen := func(metric string, minute int) (float64, bool) {
		if minute < 0 {
			return 0, false
		}
		m := f.metrics[metric][minute]
		return m.value, m.there && m.from <= now/60
	}
	awake := len(f.worker.started) > 0 // target tracking cannot scale from zero
	f.worker.scale(now, seen)
	f.tracker.scale(now, seen)
	if awake && now-f.lastGrow >= growPause {
		if wanted := f.wanted(now/60, seen); wanted > len(f.worker.started) {
			f.lastGrow = now
			f.worker.grow(now, wanted)
		}
	}
}

func (f *fleet) note(metric string, s sample) {
	if f.metrics == nil {
		f.metrics = map[string][]sample{}
	}
	f.metrics[metric] = append(f.metrics[metric], s)
}

// wanted is the capacity by target tracking: in proportion to the metric, when it was above the
// target for all periods. It evaluates the newest minutes with a visible backlog. A running count
// that is not visible is filled with one.
func (f *fleet) wanted(minute int, seen func(metric string, minute int) (float64, bool)) int {
	found, newest := 0, 0.0
	for m := minute; m > minute-growPeriods-extraMinutes && found < growPeriods; m-- {
		backlog, ok := seen("tasks"+visible, m)
		if !ok {
			continue
		}
		workers, _ := seen("worker"+running, m)
		each := backlog / cmp.Or(workers, 1)
		if each <= f.scaling.Backlog {
			return 0
		}
		if found == 0 {
			newest = each
		}
		found++
	}
	if found < growPeriods {
		return 0
	}
	return int(math.Ceil(float64(len(f.worker.started)) * newest / f.scaling.Backlog))
}

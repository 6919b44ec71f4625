package tracker_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

// One task, every sequence of reports about it, and how it counts.
func TestLedgerDecides(t *testing.T) {
	type reported struct {
		outcome messages.Outcome // empty: published in the round
		round   uint32
	}
	for _, test := range []struct {
		name    string
		reports []reported
		want    string
	}{
		{"nothing", nil, "open"},
		{"done", []reported{{messages.Copied, 0}}, "done"},
		{"dead", []reported{{messages.Dead, 0}}, "dead"},
		{"superseded", []reported{{messages.Superseded, 0}}, "superseded"},
		{"done beats dead", []reported{{messages.Dead, 0}, {messages.Moved, 0}}, "done"},
		{"done beats superseded", []reported{{messages.Superseded, 0}, {messages.Deleted, 0}}, "done"},
		{"dead beats superseded", []reported{{messages.Superseded, 0}, {messages.Dead, 0}}, "dead"},
		{"published again", []reported{{messages.Dead, 0}, {"", 1}}, "open"},
		{"superseded, published again", []reported{{messages.Superseded, 0}, {"", 1}}, "open"},
		{"dead in the new round too", []reported{{messages.Dead, 0}, {"", 1}, {messages.Dead, 1}}, "dead"},
		{"late dead of the old round", []reported{{"", 1}, {messages.Dead, 0}}, "open"},
		{"dead, then superseded in a new round", []reported{{messages.Dead, 0}, {"", 1}, {messages.Superseded, 1}}, "superseded"},
		{"done in the old round", []reported{{messages.Refreshed, 0}, {"", 1}}, "done"},
		{"late done of the old round", []reported{{"", 1}, {messages.Dead, 1}, {messages.Copied, 0}}, "done"},
		{"a round not known here yet", []reported{{messages.Dead, 2}}, "dead"},
		{"two rounds, dead between", []reported{{"", 1}, {"", 2}, {messages.Dead, 1}}, "open"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := tracker.NewLedger("r", 1, 1)
			for _, what := range test.reports {
				if what.outcome == "" {
					l.Publish(what.round, roaring.BitmapOf(0))
				} else if err := l.Add(0, what.outcome, what.round); err != nil {
					t.Fatal(err)
				}
			}
			if got := countedAs(l, 0); got != test.want {
				t.Errorf("task is %s, want %s", got, test.want)
			}
		})
	}
}

func countedAs(l *tracker.Ledger, seq uint32) string {
	for _, set := range []struct {
		name string
		seqs *roaring.Bitmap
	}{{"done", l.Done()}, {"dead", l.Dead()}, {"superseded", l.Superseded()}, {"open", l.Open()}} {
		if set.seqs.Contains(seq) {
			return set.name
		}
	}
	return "nowhere"
}

func TestLedgerRefusesForeignSeqs(t *testing.T) {
	l := tracker.NewLedger("r", 1, 10)
	if l.Add(10, messages.Copied, 0) == nil || l.Add(1, messages.Dead, 1<<31) == nil {
		t.Error("taken")
	}
	if err := l.Add(9, messages.Copied, 0); err != nil {
		t.Error(err)
	}
}

// event is one change of a ledger.
type event func(*tracker.Ledger)

func drawEvents(t *rapid.T, tasks int) []event {
	seq := rapid.Uint32Range(0, uint32(tasks-1))
	round := rapid.Uint32Range(0, 3)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
		s, r := seq.Draw(t, "seq"), round.Draw(t, "round")
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			more := rapid.SliceOfN(seq, 1, 10).Draw(t, "seqs")
			return func(l *tracker.Ledger) { l.Publish(r+1, roaring.BitmapOf(more...)) }
		case 1:
			at := time.Unix(int64(rapid.IntRange(0, 200).Draw(t, "second")), 0)
			return func(l *tracker.Ledger) { l.RecordArrival(at) }
		default:
			o := rapid.SampledFrom(messages.Outcomes).Draw(t, "outcome")
			return func(l *tracker.Ledger) { _ = l.Add(s, o, r) }
		}
	}), 0, 80).Draw(t, "events")
}

func jsonOf(t interface{ Fatal(...any) }, l *tracker.Ledger) string {
	body, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Whatever the order, however often, and however it is shared between trackers: the same ledger.
func TestLedgerIsAUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := rapid.IntRange(1, 50).Draw(t, "tasks")
		events := drawEvents(t, tasks)
		want := tracker.NewLedger("r", 7, tasks)
		for _, e := range events {
			e(want)
		}
		parts := []*tracker.Ledger{tracker.NewLedger("r", 7, tasks), tracker.NewLedger("r", 7, tasks), tracker.NewLedger("r", 7, tasks)}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 1))
		again := slices.Concat(events, events)
		rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		for _, e := range again {
			e(parts[rng.IntN(len(parts))])
		}
		for _, e := range events {
			e(parts[rng.IntN(len(parts))])
		}
		// (a ∪ b) ∪ c, and c ∪ (b ∪ a) ∪ a.
		left := copyOf(t, parts[0])
		left.Merge(parts[1])
		left.Merge(parts[2])
		right := copyOf(t, parts[1])
		right.Merge(parts[0])
		right.Merge(parts[2])
		right.Merge(parts[0])
		for _, got := range []*tracker.Ledger{left, right} {
			if jsonOf(t, got) != jsonOf(t, want) {
				t.Fatalf("got  %s\nwant %s", jsonOf(t, got), jsonOf(t, want))
			}
		}
	})
}

func copyOf(t interface{ Fatal(...any) }, l *tracker.Ledger) *tracker.Ledger {
	var c tracker.Ledger
	if err := json.Unmarshal([]byte(jsonOf(t, l)), &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// Every task is in exactly one of the four sets, and the outcomes add up.
func TestLedgerCountsEveryTaskOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := rapid.IntRange(1, 50).Draw(t, "tasks")
		l := tracker.NewLedger("r", 7, tasks)
		for _, e := range drawEvents(t, tasks) {
			e(l)
		}
		l.Sample(time.Unix(5, 0))
		p := l.Progress()
		if p.Done+p.Dead+p.Superseded+p.Open != tasks {
			t.Fatalf("%+v", p)
		}
		sum := 0
		for _, n := range p.Outcomes {
			sum += n
		}
		if len(p.Outcomes) != 6 || sum != tasks-p.Open {
			t.Fatalf("outcomes %v of %+v", p.Outcomes, p)
		}
		for seq := range uint32(tasks) {
			if countedAs(l, seq) == "nowhere" {
				t.Fatalf("seq %d is nowhere", seq)
			}
		}
		if jsonOf(t, copyOf(t, l)) != jsonOf(t, l) {
			t.Fatal("changed by writing and reading")
		}
	})
}

func TestLedgerKeepsTheNewestSamples(t *testing.T) {
	a, b := tracker.NewLedger("r", 1, 1000), tracker.NewLedger("r", 1, 1000)
	for i := range 200 {
		_ = a.Add(uint32(i), messages.Copied, 0)
		a.Sample(time.Unix(int64(1000+i), 0))
	}
	for i := range 100 {
		b.Sample(time.Unix(int64(1100+i), 0))
	}
	b.Merge(a)
	got := b.Progress().Samples
	if len(got) != 60 || got[0].Second != 1140 || got[59].Second != 1199 || got[59].Accounted != 200 {
		t.Errorf("samples %v", got)
	}
	if rate := b.Progress().Rate(); rate != 1 {
		t.Errorf("rate %v", rate)
	}
}

func FuzzLedger(f *testing.F) {
	l := tracker.NewLedger("r", 1, 70_000)
	for i := range uint32(200) {
		if i%3 > 0 {
			_ = l.Add(350*i, messages.Copied, 0)
		}
	}
	_ = l.Add(3, messages.Dead, 2)
	l.Publish(1, roaring.BitmapOf(3, 6, 9))
	body, err := json.Marshal(l)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Add([]byte(`{"v":1,"run":"r","generation":1,"tasks":5,"rounds":[{"round":1,"seqs":"OjAAAAEAAAAAAAEAEAAAAAEAAgA="}],"reports":[{"outcome":"dead","round":0,"seqs":"OjAAAAEAAAAAAAEAEAAAAAEAAgA="}]}`))
	f.Add([]byte(`{"v":1,"run":"r","tasks":70000,"reports":[{"outcome":"copied","seqs":"OzAAAAEAAP//AQAAAP//"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var l tracker.Ledger
		// Counting more takes the fuzzer too long.
		if json.Unmarshal(body, &l) != nil || l.Tasks > 1_000_000 {
			return
		}
		p := l.Progress()
		if p.Done+p.Dead+p.Superseded+p.Open != l.Tasks {
			t.Fatalf("%+v", p)
		}
		if !l.Open().IsEmpty() && int(l.Open().Maximum()) >= l.Tasks {
			t.Fatal("a task that the run does not have")
		}
		if jsonOf(t, copyOf(t, &l)) != jsonOf(t, &l) {
			t.Fatal("changed by writing and reading")
		}
	})
}

func ExampleLedger() {
	l := tracker.NewLedger("20261123T212443Z-42", 42, 3)
	for _, r := range []messages.Result{
		{Seq: 0, Outcome: messages.Copied},
		{Seq: 0, Outcome: messages.Copied}, // delivered twice
		{Seq: 1, Outcome: messages.Dead},
	} {
		if err := l.Add(r.Seq, r.Outcome, r.Round); err != nil {
			fmt.Println(err)
		}
	}
	p := l.Progress()
	fmt.Println(p.Done, "done,", p.Dead, "dead,", p.Open, "open")

	l.Publish(1, l.Dead()) // a redrive
	p = l.Progress()
	fmt.Println(p.Done, "done,", p.Dead, "dead,", p.Open, "open")
	// Output:
	// 1 done, 1 dead, 1 open
	// 1 done, 0 dead, 2 open
}

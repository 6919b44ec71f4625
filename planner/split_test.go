package planner

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

const e1, e2 = dataset.Episode("S01E01"), dataset.Episode("S01E02")

// These vectors come from Python: int(sha256(f"{seed}\n{unit}".encode()).hexdigest()[:16], 16) /
// 2**64.
func TestPositionVectors(t *testing.T) {
	for _, v := range []struct {
		seed, unit string
		first8     uint64
		want       float64
	}{
		{"7", "TT_S01_E01_FRM-00-00-08-12", 0x1bda6024f83f447a, 0.10880089666920606},
		{"7", "TT_S01_E01_FRM-00-00-08-13", 0xfee86d67c347d033, 0.9957340601279434},
		{"8", "TT_S01_E01_FRM-00-00-08-12", 0x7fe760637849e4c8, 0.49962427547897154},
		{"7", "S01E01/10s/0", 0x0523e93005f74d4e, 0.020079206680717127},
		{"7", "S12E11/1m0s/42", 0xfd3c695f79c732b6, 0.9892030580611191},
		{"", "", 0x01ba4719c80b6fe9, 0.006748622698109718},
		{"äöü", "TT_S01_E01_FRM-00-00-00-00", 0xb896089f4b79d02a, 0.7210393322852504},
	} {
		if got := Position(v.seed, v.unit); got != v.want || got != float64(v.first8)/math.Pow(2, 64) {
			t.Errorf("Position(%q, %q) is %v, want %v", v.seed, v.unit, got, v.want)
		}
	}
}

// kept uses the next eight bytes of the same hash. These vectors come from Python too.
func TestKeptVectors(t *testing.T) {
	const f12, f13 = "TT_S01_E01_FRM-00-00-08-12", "TT_S01_E01_FRM-00-00-08-13"
	for _, v := range []struct {
		unit string
		n    int
		want bool
	}{
		{f12, 10, true}, {f13, 10, false}, // remainders 0 and 3
		{f12, 0, true}, {f13, 0, true}, {f12, 1, true}, {f13, 1, true},
		{"S12E11/1m0s/42", 10, true}, {"S01E01/10s/0", 10, false}, {"S01E01/10s/0", 2, true},
	} {
		if got := kept("7", v.unit, v.n); got != v.want {
			t.Errorf("kept(7, %s, %d) is %v", v.unit, v.n, got)
		}
	}
}

func TestParseSplit(t *testing.T) {
	for text, want := range map[string]Split{
		"train=0.7,validate=0.1,test=0.2":   {{"train", 0.7}, {"validate", 0.1}, {"test", 0.2}},
		" train=0.7, validate=0.1,test=0.2": {{"train", 0.7}, {"validate", 0.1}, {"test", 0.2}},
		"all=1":                             {{"all", 1}},
		"a-b_C9=0,b=1":                      {{"a-b_C9", 0}, {"b", 1}},
		"a=0.333333,b=0.333333,c=0.333334":  {{"a", 0.333333}, {"b", 0.333333}, {"c", 0.333334}},
		"a=1e-1,b=.9":                       {{"a", 0.1}, {"b", 0.9}},
	} {
		got, err := ParseSplit(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("ParseSplit(%q) is %v, %v", text, got, err)
		}
		if again, err := ParseSplit(got.String()); err != nil || !slices.Equal(again, got) {
			t.Errorf("%q does not come back: %v, %v", got.String(), again, err)
		}
	}
}

func TestParseSplitRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                              `"" is not NAME=RATIO`,
		"train":                         `"train" is not NAME=RATIO`,
		"train=":                        "is not NAME=RATIO",
		"=1":                            "is not NAME=RATIO",
		"train=0.7,":                    `"" is not NAME=RATIO`,
		"train=0.7,train=0.3":           "a new name",
		"train=70,test=30":              "a ratio from 0 to 1",
		"train=70%,test=30%":            "a ratio from 0 to 1",
		"train=-0.1,test=1.1":           "a ratio from 0 to 1",
		"train=NaN,test=1":              "a ratio from 0 to 1",
		"train=Inf":                     "a ratio from 0 to 1",
		"train=0.7,test=0.2":            "sum to 0.9,",
		"train=0.7,test=0.4":            "expected 1",
		"train=0.7;test=0.3":            "is not NAME=RATIO",
		"train =0.7,test=0.3":           "is not NAME=RATIO",
		"../train=0.7,test=0.3":         "letters, digits, - and _",
		"a/b=1":                         "letters, digits, - and _",
		"trän=1":                        "letters, digits, - and _",
		strings.Repeat("l", 201) + "=1": "up to 200 letters",
		".=1":                           "letters, digits, - and _",
		"train=0.5 0.5,test=0.5":        "is not NAME=RATIO",
	} {
		if got, err := ParseSplit(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSplit(%q) is %v, %v; want an error with %q", text, got, err, want)
		}
	}
}

func FuzzParseSplit(f *testing.F) {
	for _, text := range []string{"train=0.7,validate=0.1,test=0.2", "a=1", "a=0x1p-1,b=.5", "a=NaN", "a=1e-9,b=1", "=,=", "a=0.5,a=0.5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		split, err := ParseSplit(text)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, share := range split {
			key := layout.Key(dataset.Place{Dataset: share.Dataset, Class: "Rare"}, dataset.FrameAt(e1, 0))
			if err := layout.CheckDestination(key, dataset.FrameAt(e1, 0)); err != nil || seen[share.Dataset] || !(share.Ratio >= 0 && share.Ratio <= 1) {
				t.Errorf("%q: %+v, %v", text, share, err)
			}
			seen[share.Dataset] = true
		}
		for _, u := range []float64{0, 0.5, math.Nextafter(1, 0), 1} {
			if !seen[split.At(u)] {
				t.Errorf("%q: nothing stands at %v", text, u)
			}
		}
		if again, err := ParseSplit(split.String()); err != nil || !slices.Equal(again, split) {
			t.Errorf("%q came back as %v, %v", text, again, err)
		}
	})
}

func TestSplitAt(t *testing.T) {
	s := Split{{"train", 0.7}, {"none", 0}, {"validate", 0.1}, {"test", 0.2}, {"never", 0}}
	for _, v := range []struct {
		u    float64
		want string
	}{
		{0, "train"}, {0.3, "train"}, {math.Nextafter(0.7, 0), "train"}, {0.7, "validate"}, {0.79, "validate"},
		{0.81, "test"}, {math.Nextafter(1, 0), "test"},
		{1, "test"}, // the largest positions round to 1
	} {
		if got := s.At(v.u); got != v.want {
			t.Errorf("At(%v) is %s, want %s", v.u, got, v.want)
		}
	}
	thirds := Split{{"a", 0.333333}, {"b", 0.333333}, {"c", 0.333333}} // the sum is less than 1
	if got := thirds.At(0.9999999); got != "c" {
		t.Errorf("what rounding leaves over went to %q", got)
	}
}

// drawSplit draws a split of two to four datasets, with ratios in hundredths.
func drawSplit(t *rapid.T, label string) Split {
	names := rapid.Permutation([]string{"train", "validate", "test", "more"}).Draw(t, label)
	names = names[:rapid.IntRange(2, 4).Draw(t, label+" datasets")]
	left := 100
	var s Split
	for i, name := range names {
		n := left
		if i < len(names)-1 {
			n = rapid.IntRange(0, left).Draw(t, label+" share")
		}
		left -= n
		s = append(s, Share{name, float64(n) / 100})
	}
	return s
}

// The share of the line of each dataset is its ratio.
func TestSplitSharesOfTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSplit(t, "split")
		const steps = 10_000
		got := map[string]int{}
		for i := range steps {
			got[s.At((float64(i)+0.5)/steps)]++
		}
		for _, share := range s {
			if math.Abs(float64(got[share.Dataset])/steps-share.Ratio) > 1.5/steps {
				t.Fatalf("%s has %d of %d, want %v", share.Dataset, got[share.Dataset], steps, share.Ratio)
			}
		}
	})
}

func TestUnit(t *testing.T) {
	for _, v := range []struct {
		frame dataset.Frame
		group time.Duration
		want  string
	}{
		{"TT_S01_E01_FRM-00-00-08-12", 0, "TT_S01_E01_FRM-00-00-08-12"},
		{"TT_S01_E01_FRM-00-00-00-00", 10 * time.Second, "S01E01/10s/0"},
		{"TT_S01_E01_FRM-00-00-09-23", 10 * time.Second, "S01E01/10s/0"},
		{"TT_S01_E01_FRM-00-00-10-00", 10 * time.Second, "S01E01/10s/1"},
		{"TT_S12_E11_FRM-00-42-00-00", time.Minute, "S12E11/1m0s/42"},
		{"TT_S01_E01_FRM-99-59-59-23", time.Second, "S01E01/1s/359999"},
	} {
		if got := Unit(v.frame, v.group); got != v.want {
			t.Errorf("Unit(%s, %v) is %q, want %q", v.frame, v.group, got, v.want)
		}
	}
}

// Frames of a second stay together for every group of whole seconds. The blocks are as long as the
// group.
func TestUnitBlocks(t *testing.T) {
	for _, group := range []time.Duration{time.Second, 3 * time.Second, 10 * time.Second, time.Minute} {
		frames := map[string]int{}
		last, changes := "", 0
		for i := range 24 * 120 {
			unit := Unit(dataset.FrameAt(e1, i), group)
			frames[unit]++
			if unit != last {
				changes++
			}
			last = unit
		}
		if changes != len(frames) {
			t.Errorf("%v: the blocks are not in one piece", group)
		}
		want := map[int]int{int(group.Seconds()) * dataset.FPS: len(frames)}
		got := map[int]int{}
		for _, n := range frames {
			got[n]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: frames in a block (-want +got):\n%s", group, diff)
		}
	}
}

func ExamplePosition() {
	split, err := ParseSplit("train=0.7,validate=0.1,test=0.2")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, frame := range []string{"TT_S01_E01_FRM-00-00-08-12", "TT_S01_E01_FRM-00-00-08-13"} {
		u := Position("7", frame)
		fmt.Printf("%s lies at %.4f, in %s\n", frame, u, split.At(u))
	}
	// Output:
	// TT_S01_E01_FRM-00-00-08-12 lies at 0.1088, in train
	// TT_S01_E01_FRM-00-00-08-13 lies at 0.9957, in test
}

func ExampleParseSplit() {
	split, err := ParseSplit("train=0.7, test=0.3")
	fmt.Println(split, split.Datasets(), err)
	_, err = ParseSplit("train=0.7,test=0.2")
	fmt.Println(err)
	// Output:
	// train=0.7,test=0.3 [train test] <nil>
	// split "train=0.7,test=0.2": the ratios sum to 0.9, expected 1
}

func ExampleDecide() {
	k := dataset.Place{Dataset: "test", Class: "Rare"}
	wish := Wish{Place: &k, ETag: "new"}
	same := func(copyETag, srcETag string) bool { return copyETag == srcETag }
	for _, stands := range [][]dataset.Copy{
		nil,
		{{Place: k, ETag: "new"}},
		{{Place: k, ETag: "old"}},
		{{Place: dataset.Place{Dataset: "train", Class: "Rare"}, ETag: "new"}},
	} {
		c := Decide(wish, stands, same)
		fmt.Printf("keep %v, op %q, delete %v\n", c.Keep, c.Op, c.Del)
	}
	// Output:
	// keep false, op "copy", delete []
	// keep true, op "", delete []
	// keep false, op "refresh", delete []
	// keep false, op "move", delete [train/Rare]
}

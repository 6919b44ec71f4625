package show

import (
	"github.com/angel-nft/google-shuffle/internal/pull"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

const etag = "0cc175b9c0f1b6a831c399e269772661"

func copyIn(name, class string, current bool) why.Copy {
	return why.Copy{Object: why.Object{Key: "tuttle_twins/ML/" + name + "/" + class + "/TT_S01_E01_FRM-00-00-08-12.jpg", ETag: etag},
		Dataset: name, Class: class, Current: current}
}

// keptFrame is where it should be.
func keptFrame() *why.Explanation {
	stands := copyIn("train", "Rare", true)
	return &why.Explanation{
		Frame: "TT_S01_E01_FRM-00-00-08-12", Episode: "S01E01", Class: "Rare",
		Sheet:  why.Sheet{Title: "Tuttle Twins S01E01 Frames", URL: sheetURL},
		Rows:   []why.Row{{Row: 205, Jonny: "rare", Supervised: "Common", Deciding: "JONNY's RECLASSIFICATION"}},
		Source: why.Object{Key: "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/TT_S01_E01_FRM-00-00-08-12.jpg", ETag: etag},
		Split: why.Split{Unit: "TT_S01_E01_FRM-00-00-08-12", Seed: settings.Seed, U: 0.412345, Line: 0.412345, Dataset: "train",
			Shares: []why.Share{{Dataset: "train", To: 0.7}, {Dataset: "validate", From: 0.7, To: 0.8}, {Dataset: "test", From: 0.8, To: 1}}},
		Stands: []why.Copy{stands}, Wanted: &stands, Change: "keep", Runs: 12,
	}
}

// movingFrame was relabelled, and its last operation has failed.
func movingFrame() *why.Explanation {
	x, wanted := keptFrame(), copyIn("train", "Rare", true)
	x.Stands, x.Wanted, x.Change = []why.Copy{copyIn("train", "Common", false), copyIn("test", "Junk", true)}, &wanted, "move"
	x.Split.Unit, x.Split.Stratified, x.Split.Line = "S01E01/10s/0", true, 0.02
	task := sampleDead()[1]
	x.Operations = []why.Operation{
		{Run: run, Generation: 42, Seq: 1234, Op: messages.Move, Dst: wanted.Key, Del: []string{copyIn("train", "Common", true).Key}, Outcome: messages.Dead, Code: task.Code, Reason: task.Reason, Attempts: 1},
		{Run: "20261122T060000Z-41", Generation: 41, Seq: 7, Op: messages.Delete, Del: []string{wanted.Key}},
		{Run: "20261121T060000Z-40", Generation: 40, Seq: 0, Op: messages.Copy, Dst: wanted.Key, Outcome: messages.Copied},
	}
	return x
}

func heldFrame() *why.Explanation {
	x := keptFrame()
	x.Held, x.Wanted, x.Change, x.Rows, x.Class, x.Source = samplePlan().Episodes[3].Reason, nil, "", nil, "", why.Object{}
	return x
}

func frozenFrame() *why.Explanation {
	x := keptFrame()
	problem := samplePlan().Episodes[0].Problems[1]
	x.Rows = append(x.Rows, why.Row{Row: 2214, Jonny: "Rarr", Deciding: "JONNY's RECLASSIFICATION"})
	x.Frozen, x.Problems, x.Wanted, x.Change, x.Class = problem.Problem, []state.Problem{problem}, nil, "", ""
	return x
}

func leftOutFrame() *why.Explanation {
	x := keptFrame()
	x.Wanted, x.Change, x.Split.Dataset = nil, "delete", ""
	x.Split.LeftOut = "it lies within 2 frames of a unit of another dataset (SHUFFLE_GUARD)"
	return x
}

// orphanFrame is of an unknown episode, before the first run.
func orphanFrame() *why.Explanation {
	return &why.Explanation{Frame: "TT_S01_E09_FRM-00-00-08-12", Episode: "S01E09", Runs: 1,
		Held: "no manifest names S01E09: its frames in the datasets are orphans, and are left alone (shuffle plan --prune S01E09 deletes them)"}
}

// unknownFrame is of an episode that neither the manifests nor the datasets have.
func unknownFrame() *why.Explanation {
	x := orphanFrame()
	x.Unknown, x.Held = true, "no manifest names the episode S01E09, and no frame of it is in the datasets"
	return x
}

func wholePull() pull.Result {
	return pull.Result{Version: 42, Tag: "paper-2", Dir: "./frames", Frames: 85_782, Fetched: 85_001, Present: 781, Bytes: 1_734_000_000, Removed: 212}
}

func brokenPull() pull.Result {
	r := pull.Result{Version: 38, Dir: "./frames", Frames: 345_600, Fetched: 345_588, Bytes: 34_500, Unproved: 345_588, Classless: 1, Leftover: 3}
	r.Lost = 12
	for i := range r.Lost {
		r.Failed = append(r.Failed, pull.Failure{File: copyIn("train", "Rare", true).Key[len("tuttle_twins/ML/"):],
			Problem: "tuttle_twins/ML/train/Rare/TT_S01_E01_FRM-00-00-08-12.jpg is gone; nor is its source to be had: " + keptFrame().Source.Key + " has changed since (ETag " + etag + ", the version's is x" + string(rune('a'+i)) + ")"})
	}
	return r
}

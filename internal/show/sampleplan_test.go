package show

import (
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const run = "20261123T212443Z-42"

const sheetURL = "https://docs.google.com/spreadsheets/d/1xQb9tGkZ0C3mVw8yJ2nEoPqR5sTuVwXyZaBcDeFgHiJ/edit#gid=0"

var (
	classes  = []string{"Junk", "Common", "Uncommon", "Rare", "Legendary"}
	datasets = []string{"train", "validate", "test"}
	settings = state.Settings{Definition: state.Definition{Seed: "PYSLQ3D2GCWWQ6MDLBTLUUUCFO", Split: "train=0.7,validate=0.1,test=0.2", Classes: classes}, Datasets: datasets, Listed: datasets, ImageSize: "thumbnails"}
)

// samplePlan has three planned episodes and one that is held.
func samplePlan() *state.Plan {
	p := &state.Plan{
		Run: run, Generation: 42, State: state.Running, Tasks: 334,
		Totals: state.Totals{Keep: 85_731, Copy: 31, Move: 248, Refresh: 2, Delete: 53, Frozen: 3},
		Episodes: []state.EpisodePlan{
			episode("E01", state.Totals{Keep: 28_519, Copy: 31, Move: 212, Delete: 40, Frozen: 3},
				state.Problem{Row: 17, Frame: "TT_S01_E01_FRM-00-00-08-12", Problem: "no source image", Kind: "no source image"},
				state.Problem{Row: 2214, Frame: "TT_S01_E01_FRM-00-01-31-18", Problem: `unknown class "Rarr" in JONNY's RECLASSIFICATION: expected one of Junk, Common, Uncommon, Rare, Legendary; the frame is left as it stands`, Kind: rows.KindUnknownClass, Value: "Rarr"},
				state.Problem{Row: 2301, Frame: "TT_S01_E01_FRM-00-01-35-09", Problem: "the frame stands in row 2300 too, with the same class; counted once", Warning: true, Kind: rows.KindTwice}),
			episode("E02", state.Totals{Keep: 28_800}),
			episode("E03", state.Totals{Keep: 28_412, Move: 36, Refresh: 2, Delete: 13}),
			episode("E04", state.Totals{}),
		},
		Balance: sampleBalance(), MissingClasses: []string{"validate/Legendary"},
		CostUSD: 0.0241, Seconds: 7.1, Leakage: 0.4213, LeakageGrouped: 0.0055, IdenticalImages: 1234, Settings: settings,
	}
	p.Episodes[2].Problems = []state.Problem{{Row: 9, Frame: "TT_S01_E04_FRM-00-00-00-07", Problem: `frame of another episode, "TT_S01_E04_FRM-00-00-00-07": expected frames of S01E03`, Kind: rows.KindOtherEpisode}}
	p.Episodes[3].State = state.EpisodeHeld
	p.Episodes[3].Reason = `sheet "Tuttle Twins S01E04 Frames": expected the column "FRAME NUMBER" in row 1, found "https://s3.us-west-2.amazonaws.com/media.angel-nft.com/tuttle_twins/s01e04/…", "ROW_INDEX", "FRAME", "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION"`
	return p
}

// whatIfPlan is a dry run with other settings than those in force, and changedPlan puts them in
// force.
func whatIfPlan() *state.Plan {
	p := changedPlan()
	p.State, p.Run, p.Generation = state.DryRun, "", 0
	return p
}

func changedPlan() *state.Plan {
	p := samplePlan()
	p.InForce = &state.Definition{Seed: settings.Seed, Split: settings.Split, Group: "10s", Classes: classes}
	p.Given = []state.GivenSetting{
		{Name: "group", InForce: "10s", Given: "0s", From: "SHUFFLE_GROUP in .env"},
		{Name: "pinned", InForce: "", Given: "test", From: "--pin, --unpin"},
	}
	p.DatasetChanges = &state.DatasetChanges{
		Frames: 3088, Of: 5913,
		Counts:  []state.ChangedFrames{{Episode: "S01E01", Class: "Common", Frames: 3000}, {Episode: "S01E02", Class: "Rare", Frames: 88}},
		Trained: []state.TrainedFrames{{Dataset: "test", Frames: 1180, Trained: 812}, {Dataset: "validate", Frames: 590}},
	}
	p.Settings.Pinned = []string{"test"}
	return p
}

// rarePlan warns of datasets with too little of a class: of one with none, which is missing too,
// and of one with too few.
func rarePlan() *state.Plan {
	p := dryRunPlan()
	p.Settings.Group, p.SeedDrawn = "10s", false
	p.MissingClasses = []string{"test/Legendary", "test/Rarr"}
	p.RareClasses = []state.RareClass{
		{Dataset: "test", Class: "Legendary", Enough: 2, Of: 18}, {Dataset: "validate", Class: "Legendary", Units: 1, Frames: 110, Enough: 2, Of: 18},
	}
	return p
}

// seedsPlan has tried seeds, with other settings than those in force. The seed in force is not
// among the best.
func seedsPlan() *state.Plan {
	p := whatIfPlan()
	p.Settings.Group, p.Settings.Stratify = "10s", true
	p.RareClasses = []state.RareClass{{Dataset: "test", Class: "Legendary", Enough: 1, Of: 18}}
	for i := range 7 {
		p.Seeds = append(p.Seeds, state.SeedTrial{
			Seed: fmt.Sprintf("seed-%d", 3*i+1), Rare: i / 3, Leakage: 0.0055, Moves: 3088 + 17*i,
			Shares: map[string]float64{"train": 0.687 + 0.001*float64(i), "validate": 0.101, "test": 0.212 - 0.001*float64(i)},
		})
	}
	p.Seeds = append(p.Seeds, state.SeedTrial{Seed: settings.Seed, InForce: true, Rare: 3, Leakage: 0.91, Moves: 0, Shares: map[string]float64{"train": 0.665, "validate": 0.135, "test": 0.2}})
	return p
}

func sampleInForce() state.InForce {
	return state.InForce{V: 1, Settings: settings.Definition, Since: state.Since{Run: run, Generation: 42}, Generation: 44, Datasets: datasets}
}

// restorePlan is back to version 41, which two frames cannot go back to.
func restorePlan() *state.Plan {
	p := samplePlan()
	p.State, p.Restores, p.Leakage, p.LeakageGrouped = state.DryRun, 41, 0.0055, 0.0055
	p.Episodes = p.Episodes[:3]
	for i := range p.Episodes {
		p.Episodes[i].Sheet, p.Episodes[i].Problems = "", nil
	}
	p.Episodes[0].Problems = []state.Problem{
		{Frame: "TT_S01_E01_FRM-00-00-08-12", Problem: "not restored: its source image is gone; the frame is left as it stands"},
		{Frame: "TT_S01_E01_FRM-00-00-08-13", Problem: "not restored: its source image has changed since version 41 (ETag 92eb5ffee6ae2fec3ad71c777531578f, in the version 0cc175b9c0f1b6a831c399e269772661); the frame is left as it stands"},
	}
	return p
}

func episode(code string, totals state.Totals, problems ...state.Problem) state.EpisodePlan {
	return state.EpisodePlan{Season: "S01", Episode: code, State: state.EpisodePlanned, Sheet: sheetURL, Totals: totals, Problems: problems}
}

func sampleBalance() []state.Balance {
	var all []state.Balance
	for c, frames := range []int{4_310, 58_241, 17_004, 6_212, 9} {
		for d, share := range []int{7, 1, 2} {
			n := frames * share / 10
			all = append(all, state.Balance{Class: classes[c], Dataset: datasets[d], Before: n, After: n + c*(d+1) - 3*c%5})
		}
	}
	for i := range all[12:] {
		all[12+i].After = all[12+i].Before
	}
	return append(all, state.Balance{Class: "Rarr", Dataset: "train", Before: 4})
}

// reviewPlan waits for somebody, with more problems than fit and everything that can be wrong
// around the sheets.
func reviewPlan() *state.Plan {
	p := samplePlan()
	p.State = state.Review
	for i := range 2000 {
		p.Episodes[0].Problems = append(p.Episodes[0].Problems, state.Problem{Row: 3000 + i, Frame: string(dataset.FrameAt("S01E01", 3000+i)), Problem: "no source image", Kind: "no source image"})
	}
	p.Episodes[0].MoreProblems = 117
	p.Episodes[1].State, p.Episodes[1].Totals = state.EpisodeHeld, state.Totals{}
	p.Episodes[1].Reason = "would delete 14233 of the 28800 frames in the datasets (49.4%), more than the ceiling 10% (--max-delete, SHUFFLE_MAX_DELETE) allows; if the sheet is right, plan with --allow-delete S01E02"
	p.Problems = []state.ManifestProblem{{Manifest: "tuttle_twins/manifests/S02-episodes.json",
		Problem: "parse manifest tuttle_twins/manifests/S02-episodes.json: expected a JSON list of episodes: unexpected end of JSON input"}}
	p.Orphans = []state.Orphan{{Episode: "S01E09", Places: []string{"train/Common", "train/Rare", "test/Common", "validate/Uncommon", "test/Junk"}}}
	p.Settings.Group, p.Settings.Stratify, p.Settings.Guard, p.Settings.Subsample = "10s", true, 2, 4
	p.Leakage, p.LeakageGrouped = 0.0055, 0.0055
	p.ClassNumbers = newClass()
	return p
}

// misnamedPlan has orphans that may be of a manifest which is not read.
func misnamedPlan() *state.Plan {
	p := reviewPlan()
	p.Problems = []state.ManifestProblem{{Manifest: "tuttle_twins/manifests/season one.json", Problem: "expected a name such as S01-episodes.json; it is not read"}}
	return p
}

func dryRunPlan() *state.Plan {
	p := samplePlan()
	p.Run, p.Generation, p.State, p.Episodes = "", 0, state.DryRun, p.Episodes[:3]
	p.SeedDrawn = true
	return p
}

// emptyPlan is what most scheduled runs are: the world has not changed.
func emptyPlan() *state.Plan {
	p := samplePlan()
	p.State, p.Tasks, p.Totals, p.Episodes = state.Succeeded, 0, state.Totals{Keep: 57_600}, p.Episodes[1:3]
	p.Episodes[1].Totals, p.Episodes[1].Problems = state.Totals{Keep: 28_800}, nil
	for i := range p.Balance {
		p.Balance[i].After = p.Balance[i].Before
	}
	p.MissingClasses, p.CostUSD, p.Seconds = nil, 0.0006, 0
	return p
}

func emptyHeldPlan() *state.Plan {
	p := emptyPlan()
	p.Episodes = append(p.Episodes, samplePlan().Episodes[3])
	return p
}

func seasonPlan() *state.Plan {
	p := samplePlan()
	p.Episodes, p.Tasks, p.Totals = nil, 345_600, state.Totals{Move: 172_800, Copy: 172_800}
	for i := range 12 {
		p.Episodes = append(p.Episodes, episode(fmt.Sprintf("E%02d", i+1), state.Totals{Copy: 14_400, Move: 14_400}))
	}
	for i := range p.Balance {
		p.Balance[i].After *= 4
	}
	p.CostUSD, p.Seconds = 1.8123, 148.2
	return p
}

// hostile is text that would clear a screen, recolour it, reverse what follows, and forge lines.
const hostile = "\x1b[2J\x1b[31mRare\u009b0m\u202egnp.exe\u2066\n✓ succeeded\r\a\x00\u200b\ufeff\xff\u2028end\t\u00a0."

func hostilePlan() *state.Plan {
	p := samplePlan()
	p.Run, p.Problems = hostile, []state.ManifestProblem{{Manifest: hostile, Problem: hostile}}
	p.Orphans = []state.Orphan{{Episode: hostile, Places: []string{hostile}}}
	p.Episodes[0].Season, p.Episodes[0].Sheet, p.Episodes[0].State, p.Episodes[0].Reason = hostile, hostile, state.EpisodeHeld, hostile
	p.Episodes[0].Problems = []state.Problem{{Row: 1, Frame: hostile, Problem: hostile}}
	p.Balance = append(p.Balance, state.Balance{Class: hostile, Dataset: hostile, Before: 3})
	p.RareClasses = []state.RareClass{{Dataset: hostile, Class: hostile, Enough: 1, Of: 18}}
	p.Seeds = []state.SeedTrial{{Seed: hostile, InForce: true}, {Seed: hostile}}
	p.MissingClasses, p.Settings.Seed, p.Settings.Split, p.Settings.Group = []string{hostile}, hostile, hostile, hostile
	return p
}

func sampleStrays() *dataset.StrayCount {
	return &dataset.StrayCount{
		Count: 1_042, AtLeast: true, Unlisted: "s3:ListBucket is not granted for tuttle_twins/ML/old/",
		Examples: []string{"tuttle_twins/ML/pred/Rare/TT_S01_E01_FRM-00-00-08-12.jpg", "tuttle_twins/ML/train//TT_S01_E01_FRM-00-00-08-12.jpg", "tuttle_twins/ML/train/Rare/\x1b[31mred.png"},
	}
}

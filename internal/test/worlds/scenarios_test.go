package worlds

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/planner"
)

// scenario is a world, with the actions of people in it.
type scenario struct {
	name     string
	sheets   sheets
	standing map[dataset.Frame]dataset.Place
	split    planner.Split // nil: only train
	keep     int           // number of dataset versions that the trackers keep; 0: all
	script   func(o operator)
}

var (
	common = dataset.Place{Dataset: "train", Class: "Common"}
	rare   = dataset.Place{Dataset: "train", Class: "Rare"}
)

// halves is a split. Each of the seeds 7, 13 and 8 puts the first two frames in different datasets.
var halves = planner.Split{{Dataset: "train", Ratio: 0.5}, {Dataset: "test", Ratio: 0.5}}

// first has the options of the first plan in all worlds.
var first = planner.Options{Seed: "7"}

var scenarios = []scenario{
	{
		// The world for the search of every order: two tasks, a worker and a tracker. A second
		// generation undoes the tasks of the first as soon as one of them has begun.
		name: "smallest", sheets: sheets{e1: {"Rare", "Common"}}, standing: map[dataset.Frame]dataset.Place{frame(0): common},
		script: func(o operator) {
			o.startServices(1, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "a task is being applied", o.world.applying(1))
			o.edit(e1, "Common", "")
			o.plan("planner-2", planner.Options{Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		name: "supersede", sheets: sheets{e1: {"Rare", "Common"}}, standing: map[dataset.Frame]dataset.Place{frame(0): common},
		script: func(o operator) {
			o.startServices(2, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "a task is being applied", o.world.applying(1))
			o.edit(e1, "Common", "")
			o.plan("planner-2", planner.Options{Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		name: "edit", sheets: sheets{e1: {"Rare", "Common", ""}}, standing: map[dataset.Frame]dataset.Place{frame(0): common, frame(1): rare, frame(2): rare},
		script: func(o operator) {
			o.startServices(2, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "a task is being applied", o.world.applying(2))
			o.edit(e1, "Common", "Rare", "Rare")
			o.await(mayHurry, "the run has ended", o.world.ended)
			o.plan("planner-2", planner.Options{})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		name: "two planners", sheets: sheets{e1: {"Rare", "Common"}}, standing: map[dataset.Frame]dataset.Place{frame(0): common},
		script: func(o operator) {
			o.startServices(1, 1)
			o.plan("planner-1", first)
			o.plan("planner-2", first)
			o.await(mayHurry, "a task is being applied", o.world.applying(1))
			o.edit(e1, "Common", "Rare")
			o.plan("planner-3", planner.Options{Supersede: true})
			o.plan("planner-4", planner.Options{Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		name: "two trackers", sheets: sheets{e1: {"Rare", "Common"}}, standing: map[dataset.Frame]dataset.Place{frame(0): common},
		script: func(o operator) {
			o.startServices(1, 2)
			o.plan("planner-1", first)
			o.await(mayHurry, "the run has ended", o.world.ended)
			o.edit(e1, "Common", "Rare")
			o.plan("planner-2", planner.Options{Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		// Trackers remove old versions while runs publish new ones, which share parts with them:
		// two trackers, and runs that are superseded while they are verified.
		name: "keep one", sheets: sheets{e1: {"Rare"}, e2: {"Rare"}}, keep: 1,
		script: func(o operator) {
			o.startServices(1, 2)
			o.plan("planner-1", first)
			o.await(mayHurry, "the run has ended", o.world.ended)
			o.edit(e1, "Common")
			o.plan("planner-2", planner.Options{Supersede: true})
			o.await(mayHurry, "the run has ended", o.world.ended)
			o.edit(e2, "Common")
			o.plan("planner-3", planner.Options{Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		name: "reshuffle", sheets: sheets{e1: {"Rare", "Common"}}, split: halves,
		script: func(o operator) {
			o.startServices(1, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "the run has ended", o.world.ended)
			o.plan("planner-2", planner.Options{Seed: "13", Reshuffle: true, Supersede: true})
			o.await(mayHurry, "the second run is planned", o.world.planned(2))
			o.plan("planner-3", planner.Options{Seed: "8", Reshuffle: true, Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		// A person changes the split and the group. The scheduled planner, which has the old
		// settings, runs meanwhile.
		name: "other settings", sheets: sheets{e1: {"Rare", "Common"}}, split: halves,
		script: func(o operator) {
			o.startServices(1, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "the run has ended", o.world.ended)
			o.edit(e1, "Common", "Rare")
			o.plan("planner-2", planner.Options{Seed: "7", Supersede: true})
			o.await(mayHurry, "the second run is planned", o.world.planned(2))
			o.planWith("planner-3", planner.Options{Seed: "7", ChangeSettings: true, Supersede: true}, func(c *planner.Config) {
				c.Split, c.Group = planner.Split{{Dataset: "test", Ratio: 0.5}, {Dataset: "train", Ratio: 0.5}}, 10*time.Second
				c.Given = map[string]string{"split": "--split", "group": "--group"}
			})
			o.await(waits, "the run has ended", o.world.ended)
			o.plan("planner-4", planner.Options{Seed: "7"})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		// Someone deletes settings.json during a run. Then a planner with another seed is still
		// refused, and the next planner restores the settings from the other state.
		name: "lost settings", sheets: sheets{e1: {"Rare", "Common"}}, split: halves,
		script: func(o operator) {
			o.startServices(1, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "a task is being applied", o.world.applying(1))
			o.act("deletes settings.json", o.world.loseSettings)
			o.edit(e1, "Common", "Rare")
			o.plan("planner-2", planner.Options{Seed: "13", Supersede: true})
			o.await(mayHurry, "it is planned or refused", func() bool { return !o.world.running() })
			o.plan("planner-3", planner.Options{Seed: "7", Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		name: "redrive and cancel", sheets: sheets{e1: {"Rare", "Common"}}, standing: map[dataset.Frame]dataset.Place{frame(0): common},
		script: func(o operator) {
			o.startServices(2, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "the run has ended", o.world.ended)
			o.command("redrive", redrive)
			o.await(mayHurry, "the run has ended again", o.world.ended)
			o.edit(e1, "Common", "")
			o.plan("planner-2", planner.Options{})
			o.await(mayHurry, "a task is being applied", o.world.applying(4))
			o.command("cancel", cancelRun)
			o.command("redrive", redrive)
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		name: "stranger", sheets: sheets{e1: {"Rare", "Common"}}, standing: map[dataset.Frame]dataset.Place{frame(0): common},
		script: func(o operator) {
			o.startServices(2, 1)
			o.plan("planner-1", first)
			stray := layout.Key(dataset.Place{Dataset: "train", Class: "Rares"}, frame(1))
			o.do(waits, "the run is running, and puts a copy of a frame where nothing should stand", o.world.atWork, func() { o.world.put(stray, "a copy") })
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
	{
		name: "new image", sheets: sheets{e1: {"Rare", "Common"}}, standing: map[dataset.Frame]dataset.Place{frame(0): common, frame(1): common},
		script: func(o operator) {
			o.startServices(2, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "a task is being applied", o.world.applying(1))
			o.replace(0)
			o.await(mayHurry, "the run has ended", o.world.ended)
			o.replace(1)
			o.plan("planner-2", planner.Options{Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	}, {
		// The second plan cannot read one of the sheets, and the tasks of the first plan in that
		// episode are stale.
		name: "one held", sheets: sheets{e1: {"Rare", "Common"}, e2: {"Rare"}},
		standing: map[dataset.Frame]dataset.Place{frame(0): common, dataset.FrameAt(e2, 0): common},
		script: func(o operator) {
			o.startServices(2, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "a task is being applied", o.world.applying(1))
			o.edit(e1)
			o.edit(e2, "Common")
			o.plan("planner-2", planner.Options{Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
			o.edit(e1, "Common", "")
		},
	},
	{
		// The second plan is of one episode, and the tasks of the first plan in the other episode
		// are stale.
		name: "one alone", sheets: sheets{e1: {"Rare"}, e2: {"Rare", "Common"}},
		standing: map[dataset.Frame]dataset.Place{frame(0): common, dataset.FrameAt(e2, 0): common},
		script: func(o operator) {
			o.startServices(2, 1)
			o.plan("planner-1", first)
			o.await(mayHurry, "a task is being applied", o.world.applying(1))
			o.edit(e2, "Common", "")
			o.plan("planner-2", planner.Options{Episodes: []dataset.Episode{e2}, Supersede: true})
			o.await(waits, "the run has ended", o.world.ended)
		},
	},
}

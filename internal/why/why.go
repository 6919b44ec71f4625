// Package why has the explanation of one frame: its row in the sheet, its dataset by the split, its
// copies in the bucket, what the next plan would do, and its tasks in past runs. The planner and
// the tracker fill it in; the terminal and the dashboard show it.
package why

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Explanation is the explanation of one frame. Fields that are not known are empty.
type Explanation struct {
	Frame   dataset.Frame   `json:"frame"`
	Episode dataset.Episode `json:"episode"`
	Sheet   Sheet           `json:"sheet"`
	// Rows are the rows of the sheet that name the frame: usually one.
	Rows []Row `json:"rows"`
	// Class is "" for a frame that is unclassified, frozen or not in the sheet.
	Class string `json:"class"`
	// Source is the source image; its ETag is "" when there is none.
	Source Object `json:"source"`
	Split  Split  `json:"split"`
	Stands []Copy `json:"stands"`
	// Wanted is the copy that the datasets should have; nil: none.
	Wanted *Copy `json:"wanted"`
	// Change is what the next plan does: "keep", a task's op, or "" when it does nothing.
	Change string `json:"change"`
	// Held is why the next plan does not change the whole episode, and Frozen why it does not
	// change the frame. Change is "" then.
	Held string `json:"held,omitempty"`
	// Unknown is true when neither the manifests nor the datasets have the frame's episode.
	Unknown bool   `json:"unknown,omitempty"`
	Frozen  string `json:"frozen,omitempty"`
	// Problems are those of the frame alone.
	Problems []state.Problem `json:"problems"`
	// Operations are the frame's tasks in the newest runs, newest first. Runs is the number of
	// searched runs.
	Operations []Operation `json:"operations"`
	Runs       int         `json:"runs"`
	// Current is the run in force: the one whose dead tasks can be published again.
	Current string `json:"current,omitempty"`
}

// Sheet is the spreadsheet that the manifest names for the episode.
type Sheet struct {
	Title string `json:"title,omitempty"`
	URL   string `json:"url,omitempty"`
}

// Row is one row of the sheet, with the cells as they are typed.
type Row struct {
	Row          int    `json:"row"` // of the sheet, from 1
	Jonny        string `json:"jonny"`
	Supervised   string `json:"supervised"`
	Unsupervised string `json:"unsupervised"`
	Deciding     string `json:"deciding"` // the column whose cell decides; "" when all are blank
}

// Object is an object of the bucket.
type Object struct {
	Key  string `json:"key"`
	ETag string `json:"etag,omitempty"`
}

// Copy is an image of the frame in the datasets.
type Copy struct {
	Object
	Dataset string `json:"dataset"`
	Class   string `json:"class"`
	// Current is true when its content equals the present source image.
	Current bool `json:"current"`
}

// Split is how the split assigns the frame to a dataset.
type Split struct {
	Unit string `json:"unit"` // the frame's name, or its block's
	Seed string `json:"seed"` // "" before the first run, which draws it; nothing else is known then
	// U is the hash of seed and unit as a number from 0 to 1.
	U float64 `json:"u"`
	// Line is the unit's place on the line of the ratios: U, or if Stratified its rank within its
	// class.
	Line       float64 `json:"line"`
	Stratified bool    `json:"stratified"`
	Shares     []Share `json:"shares"`
	Dataset    string  `json:"dataset"` // "" when it is left out
	// LeftOut is why a frame with a class is in no dataset: the subsample or the guard.
	LeftOut string `json:"left_out,omitempty"`
	// Pinned explains how a pin affects the dataset; "" when none does.
	Pinned string `json:"pinned,omitempty"`
}

// Share is a dataset's part of the line.
type Share struct {
	Dataset string  `json:"dataset"`
	From    float64 `json:"from"`
	To      float64 `json:"to"`
}

// Operation is a task of a run.
type Operation struct {
	Run        string      `json:"run"`
	Generation int64       `json:"generation"`
	Seq        uint32      `json:"seq"`
	Op         messages.Op `json:"op"`
	Dst        string      `json:"dst,omitempty"`
	Del        []string    `json:"del,omitempty"`
	// Outcome is "" when no result has come.
	Outcome messages.Outcome `json:"outcome"`
	// Code, Reason and Attempts are those of a dead task.
	Code     string    `json:"code,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Attempts int       `json:"attempts,omitempty"`
	Started  time.Time `json:"started,omitzero"` // of the run
}

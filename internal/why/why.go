// Package why holds what is known of one frame: where its sheet, the split and the bucket put it,
// what the next plan would do to it, and what was done to it. The planner and the tracker fill it
// in; the terminal and the dashboard show it.
package why

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Explanation is all of it. What could not be found out is left empty.
type Explanation struct {
	Frame   dataset.Frame   `json:"frame"`
	Episode dataset.Episode `json:"episode"`
	Sheet   Sheet           `json:"sheet"`
	// Rows are those of the sheet that name the frame. More than one, or none, is already half of
	// the answer.
	Rows  []Row  `json:"rows"`
	Class string `json:"class"` // as the destination spells it; "" unclassified, frozen or not in the sheet
	// Source is the image that is copied; its ETag is "" when there is none.
	Source Object `json:"source"`
	Split  Split  `json:"split"`
	Stands []Copy `json:"stands"`
	// Wanted is where the frame should stand, with the content of its source; nil: nowhere.
	Wanted *Copy `json:"wanted"`
	// Change is what the next plan does: "keep", a task's op, or "" when nothing is to be done.
	Change string `json:"change"`
	// Held is why the next plan leaves the whole episode as it stands, Frozen why it leaves the
	// frame so. Change is "" then.
	Held string `json:"held,omitempty"`
	// Unknown says that neither the manifests nor the datasets have the frame's episode.
	Unknown bool   `json:"unknown,omitempty"`
	Frozen  string `json:"frozen,omitempty"`
	// Problems are those of the frame alone.
	Problems []state.Problem `json:"problems"`
	// Operations are the tasks that runs had for the frame, newest first, of the newest Runs runs.
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
	// Current says that its content is the source's present one.
	Current bool `json:"current"`
}

// Split is how the frame came to its dataset.
type Split struct {
	Unit string `json:"unit"` // the frame's name, or its block's
	Seed string `json:"seed"` // "" before the first run, which draws it; nothing else is known then
	// U is where the hash of seed and unit lies on the line from 0 to 1.
	U float64 `json:"u"`
	// Line is where the unit is laid on the ratios: U itself, or when Stratified its rank within
	// its class.
	Line       float64 `json:"line"`
	Stratified bool    `json:"stratified"`
	Shares     []Share `json:"shares"`
	Dataset    string  `json:"dataset"` // "" when it is left out
	// LeftOut is why the frame is in no dataset although it has a class: the subsample, or the
	// guard.
	LeftOut string `json:"left_out,omitempty"`
	// Pinned is what a pin has to do with the dataset; "" is nothing.
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

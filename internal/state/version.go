package state

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Version is version.json: a dataset version, that is the content of the datasets when a run was
// verified. Its rows are beside it, in one CSV object for each dataset.
type Version struct {
	V          int       `json:"v"`
	Generation int64     `json:"generation"` // of the run; it names the version
	Run        string    `json:"run"`
	Created    time.Time `json:"created"`
	Parent     int64     `json:"parent,omitempty"` // generation of the version before; 0: none
	// Restores is the generation of the version that the run restored; 0: it was planned from the
	// sheets.
	Restores int64 `json:"restores,omitempty"`
	Settings
	Frames int                       `json:"frames"`
	Counts map[string]map[string]int `json:"counts"` // dataset → class → frames
	// Digests identify the episodes' listings: dataset.Digest over all frames of each.
	Digests map[dataset.Episode]string `json:"digests"`
	// Bases are the prefixes of the episodes' images, as far as a plan recorded them.
	Bases map[dataset.Episode]string `json:"bases,omitempty"`
	// Held lists the episodes that the run left unchanged.
	Held []HeldEpisode `json:"held"`
}

// latest is versions/latest.json.
type latest struct {
	V          int    `json:"v"`
	Generation int64  `json:"generation"`
	Run        string `json:"run"`
	Folder     string `json:"folder"` // below <prefix>/shuffle/
}

// VersionFile is the last file written to a version's folder. A folder that has it is complete.
const VersionFile = "version.json"

// ClassNames returns the configured classes and those that have frames, sorted. torchvision, Keras
// and Hugging Face number class folders in this order, so a model trained on the folders agrees
// with classes.json.
func (v Version) ClassNames() []string {
	names := slices.Clone(v.Classes)
	for _, classes := range v.Counts {
		for class := range classes {
			if class != "" {
				names = append(names, class)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ClassIndex numbers the ClassNames from 0.
func (v Version) ClassIndex() map[string]int { return numberClasses(v.ClassNames()) }

// EncodeClasses is classes.json.
func (v Version) EncodeClasses() ([]byte, error) {
	body, err := json.MarshalIndent(map[string]map[string]int{"classes": v.ClassIndex()}, "", " ")
	return append(body, '\n'), err
}

// NameLatest moves latest.json forward to the version, never back. It overwrites a damaged one.
func (s *Store) NameLatest(ctx context.Context, v Version) error {
	return s.Update(ctx, LatestName, func(old []byte) ([]byte, error) {
		var now latest
		if old != nil {
			if err := Unseal(old, &now); err != nil {
				now = latest{} // damaged: it is made again
			}
		}
		if now.Generation >= v.Generation {
			return nil, nil
		}
		folder := strings.TrimSuffix(VersionName(v.Generation, ""), "/")
		return Seal(latest{V: 1, Generation: v.Generation, Run: v.Run, Folder: folder})
	})
}

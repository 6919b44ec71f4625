package pull

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// compareClasses compares the numbers of the folder's classes with the version's. Without a
// classes.json that can be read there are no numbers to compare with.
func (p *puller) compareClasses() {
	var had struct {
		Classes map[string]int `json:"classes"`
	}
	body, err := p.root.ReadFile(classesFile)
	if err != nil || json.Unmarshal(body, &had) != nil {
		return
	}
	p.result.ClassNumbers = state.ChangedNumbers(had.Classes, p.Version.ClassIndex())
	if len(p.result.ClassNumbers) > 0 && p.Renumbered != nil {
		p.Renumbered(p.result.ClassNumbers)
	}
}

const classesFile = "classes.json"

// describe writes the files beside the images: the CSV of each dataset, classes.json, the lock file
// and the dataset card.
func (p *puller) describe() error {
	for _, name := range p.names {
		if err := p.putFrom(name+".csv", p.parts.CSV(name).Reader()); err != nil {
			return err
		}
	}
	classes, err := p.Version.EncodeClasses()
	if err != nil {
		return err
	}
	if err := p.put(classesFile, classes); err != nil {
		return err
	}
	lock, err := json.MarshalIndent(LockFile{
		V: lockVersion, Bucket: p.BucketName, Prefix: p.Store.Layout.Prefix, Version: p.Version.Generation, Run: p.Version.Run, Tag: p.Tag,
		Datasets: p.datasets(), Settings: p.Version.Settings, Counts: p.Version.Counts, Digest: p.result.Digest,
	}, "", " ")
	if err != nil {
		return err
	}
	if err := p.put(LockName, append(lock, '\n')); err != nil {
		return err
	}
	return p.put("README.md", []byte(card(p.Version, p.datasets())))
}

// datasets returns the datasets that the folder has: the split's in its order, then others by name.
func (p *puller) datasets() []string {
	names := slices.DeleteFunc(slices.Clone(p.Version.Datasets), func(name string) bool {
		_, ok := p.mark.Datasets[name]
		return !ok
	})
	for _, name := range slices.Sorted(maps.Keys(p.mark.Datasets)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// splitName returns Hugging Face's name of a dataset. Hugging Face knows train, validation and
// test, and allows no hyphen. Without an entry in the card it silently ignores a folder named
// validate.
func splitName(name string) string {
	switch name {
	case "validate", "valid", "val", "dev":
		return "validation"
	}
	return strings.ReplaceAll(name, "-", "_")
}

// card returns README.md, the dataset card for Hugging Face and for people. It names only datasets
// with images, because in Hugging Face a pattern without a match is an error.
func card(v state.Version, names []string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("---\nconfigs:\n- config_name: default\n  data_files:")
	for _, name := range names {
		if frames(v, name) > 0 {
			line("  - split: %s\n    path: %s", splitName(name), quoted(name+"/*/*.jpg"))
		}
	}
	// Otherwise a class without images would shift the numbers, and with a single class there would
	// be no labels.
	line("  drop_labels: false\n  features:\n  - name: image\n    dtype: image\n  - name: label\n    dtype:\n      class_label:\n        names:")
	for i, class := range v.ClassNames() {
		line("          '%d': %s", i, quoted(class))
	}
	line("---\n\n# Frames by how rare they are, version %d\n", v.Generation)
	var settings []string
	for _, s := range v.Definition.List() {
		if s.Value != "" && s.Name != "classes" {
			settings = append(settings, s.Name+" "+s.Value)
		}
	}
	line("Published on %s by run %s. Settings: %s.\n", v.Created.UTC().Format("2 January 2006"), v.Run, strings.Join(settings, ", "))
	counts(line, v, names)
	line("")
	loading(line, names[0])
	return b.String()
}

func frames(v state.Version, name string) int {
	n := 0
	for class, count := range v.Counts[name] {
		if class != "" {
			n += count
		}
	}
	return n
}

// quoted returns a YAML scalar. Every JSON string is one.
func quoted(s string) string {
	body, _ := json.Marshal(s) // a string always encodes
	return string(body)
}

// counts returns the table of frames by class and dataset.
func counts(line func(string, ...any), v state.Version, names []string) {
	line("| label | class | %s |", strings.Join(names, " | "))
	line("|---|---|%s", strings.Repeat("--:|", len(names)))
	for i, class := range v.ClassNames() {
		row := fmt.Sprintf("| %d | %s |", i, class)
		for _, name := range names {
			row += fmt.Sprintf(" %d |", v.Counts[name][class])
		}
		line("%s", row)
	}
}

// loading returns instructions for loading the folder, with the numbers of the table as labels in
// every library.
func loading(line func(string, ...any), name string) {
	line("Each dataset has a folder for every class, an empty one too, so that a class has the same number in all of them;")
	line("`classes.json` has the numbers. The CSV files name each image with its class, S3 key, ETags and frame.\n")
	line("```python")
	line("torchvision.datasets.ImageFolder(%q, allow_empty=True)  # torchvision 0.18 and later", name)
	line("keras.utils.image_dataset_from_directory(%q, label_mode=\"int\")", name)
	line("datasets.load_dataset(\".\")  # of Hugging Face")
	line("```")
}

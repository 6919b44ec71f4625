package show

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// Versions prints a table of dataset versions, as they come.
func Versions(w io.Writer, s Style, l version.Listing) error {
	return write(w, s, func(p *page) {
		if len(l.Versions) == 0 {
			p.head(plain("There is no dataset version yet: a run that succeeds publishes one."))
			p.next(step("plan", "begin a run"))
			return
		}
		names := datasetsOf(l.Versions)
		columns := []column{{"Version", true}, {"published", false}, {"frames", true}}
		for _, name := range names {
			columns = append(columns, column{shown(name), true})
		}
		rows := [][]span{}
		for _, v := range l.Versions {
			rows = append(rows, versionRow(v, names, l.Latest))
		}
		p.table(append(columns, column{"", false}), rows)
		for _, tag := range slices.Sorted(maps.Keys(l.Lost)) {
			p.item(lead{{"! ", red}}, span{fmt.Sprintf("The tag %s names version %d, which is not there; shuffle versions --untag %s removes the tag", tag, l.Lost[tag], tag), red})
		}
		p.next(versionSteps(l.Versions)...)
	})
}

// Tag prints what became of a tag.
func Tag(w io.Writer, s Style, c version.TagChange) error {
	return write(w, s, func(p *page) {
		said := fmt.Sprintf("names version %d, which stays until the tag is removed", c.Version)
		switch {
		case c.Version == 0:
			said = fmt.Sprintf("is removed; it named version %d", c.Before)
		case c.Before != 0:
			said += fmt.Sprintf("; before, it named version %d", c.Before)
		}
		p.item(lead{{"✓ ", green}}, span{"Tag " + c.Tag, bold}, plain(said))
	})
}

// datasetsOf are those of all versions, in the newest one's order.
func datasetsOf(all []version.Listed) []string {
	var names []string
	for _, v := range all {
		for _, name := range v.Datasets {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func versionRow(v version.Listed, names []string, latest int64) []span {
	row := []span{plain(fmt.Sprint(v.Generation)), plain(v.Created.UTC().Format("2006-01-02 15:04 UTC")), cell(v.Frames, "")}
	for _, name := range names {
		n := 0
		for _, frames := range v.Counts[name] {
			n += frames
		}
		row = append(row, cell(n, ""))
	}
	var notes []string
	if v.Generation == latest {
		notes = append(notes, version.Latest)
	}
	notes = append(notes, v.Tags...)
	if v.Restores > 0 {
		notes = append(notes, fmt.Sprintf("restores %d", v.Restores))
	}
	if len(v.Held) > 0 {
		notes = append(notes, fmt.Sprintf("%d held", len(v.Held)))
	}
	return append(row, plain(strings.Join(notes, ", ")))
}

func versionSteps(all []version.Listed) []advice.Step {
	newest := all[0].Generation
	steps := []advice.Step{step(fmt.Sprintf("pull --version %d DIR", newest), "download it")}
	if len(all) > 1 {
		before := all[1].Generation
		steps = append(steps, step(fmt.Sprintf("versions %d %d", before, newest), "what changed between them"),
			step(fmt.Sprintf("restore %d --dry-run", before), "what going back to it would do"))
	}
	return steps
}

// shownChanges bounds the frames that a diff names on a terminal.
const shownChanges = 20

// Diff prints what became of the frames from one dataset version to another.
func Diff(w io.Writer, s Style, d version.Diff) error {
	return write(w, s, func(p *page) {
		before := d.Same + d.Differing() - d.Totals[version.Added]
		from := fmt.Sprintf("Version %d → %d:", d.From, d.To)
		if d.From == 0 {
			from = fmt.Sprintf("Version %d, the first:", d.To)
		}
		if d.Differing() == 0 {
			p.item(lead{{"✓ ", green}}, span{from, bold}, plain("no difference in "+count(before, "frame")))
			p.settingChanges(d.Settings)
			p.classNumbers("", d.ClassNumbers)
			return
		}
		p.head(span{from, bold}, plain(kinds(d)+"; "+number(d.Same)+" the same"))
		p.gap()
		p.classChanges(d.Classes)
		p.settingChanges(d.Settings)
		p.classNumbers("", d.ClassNumbers)
		p.relabellings(d.Relabellings)
		p.changes(d)
		if d.From > 0 {
			p.next(step(fmt.Sprintf("restore %d --dry-run", d.From), "what going back would do"))
		}
	})
}

// DiffJSON prints a diff as one JSON object, with all changes as they come: all of them may be more
// than memory should hold.
func DiffJSON(w io.Writer, d version.Diff, changes func(func(version.Change) error) error) error {
	d.Changes = []version.Change{}
	head, err := encodeJSON(d, "")
	if err != nil {
		return err
	}
	head, ok := bytes.CutSuffix(head, []byte("[]\n}\n")) // changes is the last member
	if !ok {
		return fmt.Errorf("a diff does not end with its changes: %.100q", head)
	}
	out := bufio.NewWriter(w)
	_, _ = out.Write(head) // Flush gives the error of any write
	before, end := "[\n    ", "[]\n}\n"
	err = changes(func(c version.Change) error {
		one, err := encodeJSON(c, "    ")
		_, _ = out.WriteString(before)
		_, _ = out.Write(bytes.TrimSpace(one))
		before, end = ",\n    ", "\n  ]\n}\n"
		return err
	})
	_, _ = out.WriteString(end)
	return errors.Join(err, out.Flush())
}

// encodeJSON is the form that all of --json has.
func encodeJSON(v any, prefix string) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	err := enc.Encode(v)
	return body.Bytes(), err
}

func kinds(d version.Diff) string {
	var parts []string
	for _, k := range version.Kinds {
		if n := d.Totals[k]; n > 0 {
			parts = append(parts, number(n)+" "+string(k))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *page) classChanges(all []version.ClassChanges) {
	columns := []column{{"Class", false}, {"before", true}, {"after", true}, {"added", true}, {"removed", true},
		{"label+", true}, {"label-", true}, {"moved", true}, {"refreshed", true}}
	var sum version.ClassChanges
	rows := [][]span{}
	for _, c := range all {
		rows = append(rows, classChangesRow(plain(className(c.Class)), c))
		sum.Before, sum.After = sum.Before+c.Before, sum.After+c.After
		sum.Added, sum.Removed = sum.Added+c.Added, sum.Removed+c.Removed
		sum.RelabelledTo, sum.RelabelledFrom = sum.RelabelledTo+c.RelabelledTo, sum.RelabelledFrom+c.RelabelledFrom
		sum.Moved, sum.Refreshed = sum.Moved+c.Moved, sum.Refreshed+c.Refreshed
	}
	p.table(columns, append(rows, classChangesRow(span{"Total", bold}, sum)))
}

func classChangesRow(name span, c version.ClassChanges) []span {
	row := []span{name}
	for _, n := range []int{c.Before, c.After, c.Added, c.Removed, c.RelabelledTo, c.RelabelledFrom, c.Moved, c.Refreshed} {
		row = append(row, cell(n, ""))
	}
	return row
}

func (p *page) relabellings(all []version.Relabelling) {
	if len(all) == 0 {
		return
	}
	var parts []string
	for _, r := range all {
		parts = append(parts, className(r.From)+" → "+className(r.To)+" "+number(r.Frames))
	}
	p.gap()
	p.item(at("Relabelled  "), plain(strings.Join(parts, ", ")))
}

func (p *page) changes(d version.Diff) {
	p.gap()
	shownOnes := d.Changes[:min(len(d.Changes), shownChanges)]
	for _, c := range shownOnes {
		where := strings.Join(c.From, " and ")
		switch {
		case where == "":
			where = strings.Join(c.To, " and ")
		case len(c.To) > 0 && c.Kind != version.Refreshed:
			where += " → " + strings.Join(c.To, " and ")
		}
		p.item(at(fmt.Sprintf("  %-10s  ", c.Kind)), plain(string(c.Frame)), plain(where))
	}
	if more := d.Differing() - len(shownOnes); more > 0 {
		p.para(at("  "), 4, plain("and "+number(more)+" more, see --json"))
	}
}

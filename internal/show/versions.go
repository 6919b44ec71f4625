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

// Versions prints a table of dataset versions, in the given order.
func Versions(w io.Writer, s Style, l version.Listing) error {
	return write(w, s, func(p *page) {
		if len(l.Versions) == 0 {
			p.printHead(plain("There is no dataset version yet: a run that succeeds publishes one."))
			p.printNext(step("plan", "begin a run"))
			return
		}
		names := datasetsOf(l.Versions)
		columns := []column{{"Version", true}, {"published", false}, {"frames", true}}
		for _, name := range names {
			columns = append(columns, column{shorten(name), true})
		}
		rows := [][]span{}
		for _, v := range l.Versions {
			rows = append(rows, versionRow(v, names, l.Latest))
		}
		p.printTable(append(columns, column{"", false}), rows)
		for _, tag := range slices.Sorted(maps.Keys(l.Lost)) {
			p.printItem(prefix{{"! ", red}}, span{fmt.Sprintf("The tag %s names version %d, which does not exist; shuffle versions --untag %s removes the tag", tag, l.Lost[tag], tag), red})
		}
		newest := l.Versions[0].Generation
		steps := []advice.Step{step(fmt.Sprintf("pull --version %d DIR", newest), "download it")}
		if len(l.Versions) > 1 {
			before := l.Versions[1].Generation
			steps = append(steps, step(fmt.Sprintf("versions %d %d", before, newest), "show what changed between them"),
				step(fmt.Sprintf("restore %d --dry-run", before), "show what a restore would do"))
		}
		p.printNext(steps...)
	})
}

// Tag prints how a tag was changed.
func Tag(w io.Writer, s Style, c version.TagChange) error {
	return write(w, s, func(p *page) {
		text := fmt.Sprintf("names version %d, which stays until the tag is removed", c.Version)
		switch {
		case c.Version == 0:
			text = fmt.Sprintf("is removed; it named version %d", c.Before)
		case c.Before != 0:
			text += fmt.Sprintf("; before, it named version %d", c.Before)
		}
		p.printItem(prefix{{"✓ ", green}}, span{"Tag " + c.Tag, bold}, plain(text))
	})
}

// datasetsOf are the datasets of all versions, in the order of the newest version.
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

// maxDiffChanges limits the frames of a diff that are printed.
const maxDiffChanges = 20

// Diff prints how the frames changed from one dataset version to another.
func Diff(w io.Writer, s Style, d version.Diff) error {
	return write(w, s, func(p *page) {
		before := d.Same + d.Differing() - d.Totals[version.Added]
		from := fmt.Sprintf("Version %d → %d:", d.From, d.To)
		if d.From == 0 {
			from = fmt.Sprintf("Version %d, the first:", d.To)
		}
		if d.Differing() == 0 {
			p.printItem(prefix{{"✓ ", green}}, span{from, bold}, plain("no difference in "+count(before, "frame")))
			p.printSettingChanges(d.Settings)
			p.printClassNumbers("", d.ClassNumbers)
			return
		}
		var changed []string
		for _, k := range version.Kinds {
			if n := d.Totals[k]; n > 0 {
				changed = append(changed, number(n)+" "+string(k))
			}
		}
		p.printHead(span{from, bold}, plain(strings.Join(changed, ", ")+"; "+number(d.Same)+" the same"))
		p.printGap()
		p.printClassChanges(d.Classes)
		p.printSettingChanges(d.Settings)
		p.printClassNumbers("", d.ClassNumbers)
		p.printRelabellings(d.Relabellings)
		p.printDiffChanges(d)
		if d.From > 0 {
			p.printNext(step(fmt.Sprintf("restore %d --dry-run", d.From), "show what a restore would do"))
		}
	})
}

// DiffJSON prints a diff as one JSON object. It writes the changes one by one, since all of them
// may need too much memory.
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
	_, _ = out.Write(head) // Flush returns the error of any write
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

// encodeJSON encodes a value in the form of all --json output.
func encodeJSON(v any, prefix string) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	err := enc.Encode(v)
	return body.Bytes(), err
}

func (p *page) printClassChanges(all []version.ClassChanges) {
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
	p.printTable(columns, append(rows, classChangesRow(span{"Total", bold}, sum)))
}

func classChangesRow(name span, c version.ClassChanges) []span {
	row := []span{name}
	for _, n := range []int{c.Before, c.After, c.Added, c.Removed, c.RelabelledTo, c.RelabelledFrom, c.Moved, c.Refreshed} {
		row = append(row, cell(n, ""))
	}
	return row
}

func (p *page) printRelabellings(all []version.Relabelling) {
	if len(all) == 0 {
		return
	}
	var parts []string
	for _, r := range all {
		parts = append(parts, className(r.From)+" → "+className(r.To)+" "+number(r.Frames))
	}
	p.printGap()
	p.printItem(label("Relabelled  "), plain(strings.Join(parts, ", ")))
}

func (p *page) printDiffChanges(d version.Diff) {
	p.printGap()
	shownOnes := d.Changes[:min(len(d.Changes), maxDiffChanges)]
	for _, c := range shownOnes {
		where := strings.Join(c.From, " and ")
		switch {
		case where == "":
			where = strings.Join(c.To, " and ")
		case len(c.To) > 0 && c.Kind != version.Refreshed:
			where += " → " + strings.Join(c.To, " and ")
		}
		p.printItem(label(fmt.Sprintf("  %-10s  ", c.Kind)), plain(string(c.Frame)), plain(where))
	}
	if more := d.Differing() - len(shownOnes); more > 0 {
		p.printParagraph(label("  "), 4, plain("and "+number(more)+" more, see --json"))
	}
}

// Package page renders the dashboard's pages, and the report of a run, which is one file. All are
// functions of values; package dashboard reads the values and serves the pages.
//
// The content comes from sheets, messages and other services, whose writers are not trusted. It
// gets into a page only through html/template, which escapes it for its place. Values of types that
// html/template trusts are never made of it, except the data: URIs of images in a report, whose
// bytes are written in base64.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
)

//go:embed templates
var templateFiles embed.FS

// Style, Script and Icon are the assets of all pages.
var (
	//go:embed assets/style.css
	Style string
	//go:embed assets/app.js
	Script string
	//go:embed assets/icon.svg
	Icon string
)

// Version is a hash of the assets. It is part of their addresses, so that a browser may cache them
// for ever.
var Version = hex.EncodeToString(hash(Style + Script + Icon)[:8])

// Policy is the Content-Security-Policy of the dashboard's pages: everything comes from the
// dashboard itself.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// filePolicy is the policy of a report: it loads nothing, and allows only this script and style.
var filePolicy = fmt.Sprintf("default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; form-action 'none'",
	base64.StdEncoding.EncodeToString(hash(Script)), base64.StdEncoding.EncodeToString(hash(Style)))

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// Site is what all pages show about the bucket and the program.
type Site struct {
	Name    string // the bucket and the folder in it
	Command string // how the program is called in the commands to type; "" is "shuffle"
}

// Page is a page that can be rendered.
type Page interface {
	template() string // its file in templates, without ".html"
	Title() string
	// Events is the address of its server-sent events, "" when it does not change by itself.
	Events() string
}

// Region is a part of a page that may change while it is open.
type Region struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// view is the value that a template gets.
type view struct {
	Page
	Site Site
	File bool // a report, which must not link to the dashboard
}

// Write renders a page of the dashboard.
func Write(w io.Writer, s Site, p Page) error {
	return write(w, "document", view{Page: p, Site: s})
}

// Regions renders the parts of the page that may change.
func Regions(s Site, p Page) ([]Region, error) {
	var all []Region
	for _, id := range regions[p.template()] {
		var html strings.Builder
		if err := write(&html, id, view{Page: p, Site: s}); err != nil {
			return nil, err
		}
		all = append(all, Region{ID: id, HTML: html.String()})
	}
	return all, nil
}

// regions are the templates, by page, that are in an element of their name. All other parts of a
// page never change.
var regions = map[string][]string{
	"runs":       {"runs"},
	"frames":     {"found"},
	"frame":      {"about"},
	"season":     {"season"},
	"episode":    {"lanes", "whatif"},
	"labels":     {"inbox"},
	"duplicates": {"near"},
	"workers":    {"workers"},
	"versions":   {"versions"},
	"compare":    {"compared"},
	"run":        {"head", "tabs", "progress", "next", "held", "dead", "differences", "kinds", "balance", "facts"},
	"episodes":   {"head", "tabs", "episodes"},
}

// Report renders a run as one file, which needs no other file.
func Report(s Site, r *Run) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b, "file", view{Page: report{r}, Site: s, File: true})
	return b.Bytes(), err
}

func write(w io.Writer, name string, v view) error {
	if err := templates[v.template()].ExecuteTemplate(w, name, v); err != nil {
		return fmt.Errorf("render page %q: %w", v.Title(), err)
	}
	return nil
}

// templates is a set for each page, since each defines a "main" of its own.
var templates = parse()

func parse() map[string]*template.Template {
	common := template.Must(template.New("").Funcs(functions).ParseFS(templateFiles, "templates/common/*.html"))
	all := map[string]*template.Template{}
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic(err) // they are embedded
	}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".html"); ok {
			all[name] = template.Must(template.Must(common.Clone()).ParseFS(templateFiles, "templates/"+f.Name()))
		}
	}
	return all
}

// sections are the parts of the dashboard, with the pages of each.
var sections = []struct {
	name, path string
	pages      []string
}{
	{"Runs", "/", []string{"runs", "run", "changes", "episodes", "problems", "deads"}},
	{"Frames", "/frames", []string{"frames", "frame"}},
	{"Episodes", "/episodes", []string{"season", "episode"}},
	{"Labels", "/labels", []string{"labels"}},
	{"Duplicates", "/duplicates", []string{"duplicates"}},
	{"Versions", "/versions", []string{"versions", "compare"}},
	{"Workers", "/workers", []string{"workers"}},
}

// Nav are the links to the parts of the dashboard.
func (v view) Nav() []Tab {
	var all []Tab
	for _, s := range sections {
		all = append(all, Tab{Name: s.name, Path: s.path, Current: slices.Contains(s.pages, v.template())})
	}
	return all
}

// ShowsMeaning reports whether the page begins with the meaning of the run's state.
func (v view) ShowsMeaning() bool { return v.File || v.template() == "run" }

// RewriteCommands makes the commands in a sentence begin as the user called the program.
func (v view) RewriteCommands(sentence string) string {
	return advice.RewriteCommands(v.Site.Command, sentence)
}

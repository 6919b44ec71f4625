package show

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// sameFlags are the flags by which a command plans what this dry run shows: its selection, what it allows, and the settings
// that it was given.
func sameFlags(plan *state.Plan) string {
	var opt struct {
		Season       string   `json:"season"`
		Episodes     []string `json:"episodes"`
		AllowDelete  []string `json:"allow_delete"`
		AllowRefresh []string `json:"allow_refresh"`
		AcceptBase   []string `json:"accept_base"`
		Prune        []string `json:"prune"`
		Pin          []string `json:"pin"`
		Unpin        []string `json:"unpin"`
	}
	if plan.State != dryRun {
		return ""
	}
	if len(plan.Options) > 0 && json.Unmarshal(plan.Options, &opt) != nil {
		return "" // of another release
	}
	var flags strings.Builder
	each := func(flag string, values ...string) {
		for _, v := range values {
			if v != "" {
				flags.WriteString(" --" + flag + " " + shown(v))
			}
		}
	}
	if plan.Restores == 0 && otherSettings(plan) {
		flags.WriteString(" --change-settings")
		for _, g := range plan.Given {
			switch {
			case g.Name == "stratify":
				flags.WriteString(" --stratify=" + g.Given)
			case g.Name != "seed" && g.Name != "pinned":
				each(g.Name, g.Given)
			}
		}
		each("pin", opt.Pin...)
		each("unpin", opt.Unpin...)
	} else {
		each("season", opt.Season)
		each("episode", opt.Episodes...)
	}
	if plan.Restores == 0 && !seedsTried(plan) && slices.ContainsFunc(plan.Given, func(g state.GivenSetting) bool { return g.Name == "seed" }) {
		if !otherSettings(plan) {
			flags.WriteString(" --reshuffle")
		}
		each("seed", plan.Settings.Seed)
	}
	each("allow-delete", opt.AllowDelete...)
	each("allow-refresh", opt.AllowRefresh...)
	each("accept-base", opt.AcceptBase...)
	each("prune", opt.Prune...)
	return flags.String()
}

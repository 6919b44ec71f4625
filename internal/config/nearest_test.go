package config_test

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/config"
)

func TestName(t *testing.T) {
	names := []string{"GROUP", "GUARD", "SEED", "SPLIT", "MAX_DELETE", "MAX_BAD_ROWS"}
	for name, want := range map[string]string{
		"GRUOP": "GROUP", "GROUPS": "GROUP", "ROUP": "GROUP", "SPILT": "SPLIT", "MAX_DELETES": "MAX_DELETE", "MAXDELETE": "MAX_DELETE",
		"MAX_BADROW": "MAX_BAD_ROWS", "SEDE": "SEED", "COLOUR": "", "": "", "XX": "", "MAX_BAD": "MAX_BAD_ROWS", "SPLIT_RATIOS": "SPLIT",
	} {
		if got := config.Nearest(name, names, 2); got != want {
			t.Errorf("%q: %q, expected %q", name, got, want)
		}
	}
}

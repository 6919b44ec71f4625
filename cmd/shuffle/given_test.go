package main

import (
	"bytes"
	"maps"
	"os"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/config"
)

// The program knows where each setting was given: a flag before a variable before .env.
func TestGiven(t *testing.T) {
	for _, name := range []string{"SHUFFLE_GROUP", "SHUFFLE_SPLIT", "SHUFFLE_SEED", "SHUFFLE_GUARD", "GOOGLE_DRIVE_CREDENTIALS_FILE"} {
		t.Setenv(name, "")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("SHUFFLE_GROUP=30s\nSHUFFLE_SPLIT='train=1'\nSHUFFLE_SEED=7\nSHUFFLE_GUARD=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SHUFFLE_GROUP", "20s")
	t.Setenv("SHUFFLE_SPLIT", "train=0.5,test=0.5")
	t.Setenv("SHUFFLE_CLASSES", "")
	t.Setenv("GOOGLE_DRIVE_CREDENTIALS_FILE", "key.json")
	env, err := config.LoadEnv(".env")
	if err != nil {
		t.Fatal(err)
	}
	var out, logs bytes.Buffer
	p, err := parseWithEnv(env, []string{"plan", "--group=10s", "--stratify", "--dry-run"}, &out, &logs)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"group": "--group", "stratify": "--stratify", "dry-run": "--dry-run", "split": "SHUFFLE_SPLIT", "seed": "SHUFFLE_SEED in .env",
		"google-drive-credentials-file": "GOOGLE_DRIVE_CREDENTIALS_FILE",
	}
	if !maps.Equal(p.config.Given, want) {
		t.Errorf("given: %v\nexpected: %v", p.config.Given, want)
	}
	if got := p.command.(*planCmd).Seed; got != "7" || p.config.Group.String() != "10s" || p.config.Split != "train=0.5,test=0.5" {
		t.Errorf("seed %q, group %s, split %s", got, p.config.Group, p.config.Split)
	}
}

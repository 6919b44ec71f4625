package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/angel-nft/google-shuffle/internal/config"
)

// checkLocal refuses a folder of --local that does not exist, so that a misspelt one is not made and found empty. The commands
// that make the folder, and those that need none, take any.
func checkLocal(command runner, dir string) error {
	switch command.(type) {
	case *setupCmd, *demoCmd, *completionCmd, *aliveCmd:
		return nil
	}
	if dir == "" {
		return nil
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return usage(fmt.Errorf("--local %q (SHUFFLE_LOCAL): %w", dir, err))
	}
	stat, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		hint := ""
		if near := sibling(path); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return usage(fmt.Errorf("--local (SHUFFLE_LOCAL): the folder %s does not exist%s; shuffle setup and shuffle demo create one", path, hint))
	case err != nil:
		return usage(fmt.Errorf("--local (SHUFFLE_LOCAL): %w", err))
	case !stat.IsDir():
		return usage(fmt.Errorf("--local (SHUFFLE_LOCAL): %s is a file, expected a folder", path))
	}
	return nil
}

// sibling is the folder beside path whose name is nearly the same, or "".
func sibling(path string) string {
	parent := filepath.Dir(path)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return ""
	}
	var folders []string
	for _, entry := range entries {
		if entry.IsDir() {
			folders = append(folders, entry.Name())
		}
	}
	name := filepath.Base(path)
	if near := config.Nearest(name, folders, max(1, len(name)/3)); near != "" {
		return filepath.Join(parent, near)
	}
	return ""
}

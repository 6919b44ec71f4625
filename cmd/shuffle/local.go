package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/config"
)

// checkFolders returns an error when the folder of --local or of a file bucket does not exist.
// Otherwise a misspelt name would create an empty folder. Commands that create the folder or need
// none are not checked.
func checkFolders(command runner, cfg config.Config) error {
	switch command.(type) {
	case *setupCmd, *demoCmd, *completionCmd, *aliveCmd:
		return nil
	}
	if cfg.Local != "" {
		return usage(checkFolder("--local (SHUFFLE_LOCAL)", cfg.Local, "; shuffle setup and shuffle demo create one"))
	}
	if dir, ok := strings.CutPrefix(cfg.Bucket, "file://"); ok && strings.HasPrefix(dir, "/") {
		return usage(checkFolder("--bucket (SHUFFLE_BUCKET)", dir, "; shuffle setup --create-bucket creates one"))
	}
	return nil
}

// checkFolder returns an error when the folder does not exist. The error suggests a similar name.
func checkFolder(setting, dir, creates string) error {
	path, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	stat, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		hint := ""
		if near := similarFolder(path); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return fmt.Errorf("%s: the folder %s does not exist%s%s", setting, path, hint, creates)
	case err != nil:
		return fmt.Errorf("%s: %w", setting, err)
	case !stat.IsDir():
		return fmt.Errorf("%s: %s is a file, expected a folder", setting, path)
	}
	return nil
}

// similarFolder returns the folder beside path whose name is nearly the same, or "".
func similarFolder(path string) string {
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

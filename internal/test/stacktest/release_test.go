package stacktest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile("../../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestToolchain: every image is built by the toolchain in go.mod, which .ci/vuln scans.
func TestToolchain(t *testing.T) {
	toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	if toolchain == nil {
		t.Fatal("go.mod names no toolchain")
	}
	for path, want := range map[string]string{
		"deploy/Dockerfile":             "ARG GO_IMAGE=golang:" + toolchain[1] + "\n",
		"docker-compose.yml":            "GO_IMAGE: ${GO_IMAGE:-golang:" + toolchain[1] + "}\n",
		".ci/vuln":                      "GOTOOLCHAIN=$(sed -n 's/^toolchain //p' go.mod)",
		".github/workflows/release.yml": "go-version-file: go.mod",
	} {
		if !strings.Contains(read(t, path), want) {
			t.Errorf("%s has no %q", path, want)
		}
	}
}

// TestVersionInBinary: every build for use on other machines includes the version.
func TestVersionInBinary(t *testing.T) {
	for _, path := range []string{"deploy/Dockerfile", "Makefile", ".goreleaser.yaml"} {
		builds := regexp.MustCompile(`-s -w[^\n]*`).FindAllString(read(t, path), -1)
		found := false
		for _, flags := range builds {
			found = found || strings.Contains(flags, "-X main.release=")
		}
		if !found {
			t.Errorf("%s: %q set no main.release", path, builds)
		}
	}
	for _, path := range []string{"deploy/Dockerfile", "deploy/prebuilt.Dockerfile"} {
		for _, label := range []string{"title", "description", "source", "version", "revision"} {
			if !strings.Contains(read(t, path), "org.opencontainers.image."+label+"=") {
				t.Errorf("%s: no label %s", path, label)
			}
		}
	}
}

// TestRelease: .goreleaser.yaml builds existing packages, for the usual systems, and each image has
// the processor of its binaries.
func TestRelease(t *testing.T) {
	var release struct {
		Builds []struct {
			ID, Main     string
			Goos, Goarch []string
		}
		Dockers []struct {
			Goarch         string
			IDs            []string
			Dockerfile     string
			BuildFlags     []string `yaml:"build_flag_templates"`
			ImageTemplates []string `yaml:"image_templates"`
		}
		Manifests []struct {
			ImageTemplates []string `yaml:"image_templates"`
		} `yaml:"docker_manifests"`
		SBOMs []struct{ Artifacts string }
	}
	if err := yaml.Unmarshal([]byte(read(t, ".goreleaser.yaml")), &release); err != nil {
		t.Fatal(err)
	}
	for _, b := range release.Builds {
		if _, err := os.Stat("../../../" + b.Main); err != nil {
			t.Error(err)
		}
	}
	if b := release.Builds[0]; strings.Join(b.Goos, " ") != "linux darwin windows" || strings.Join(b.Goarch, " ") != "amd64 arm64" {
		t.Errorf("%+v", b)
	}
	var images []string
	for _, d := range release.Dockers {
		images = append(images, d.ImageTemplates...)
		if d.Dockerfile != "deploy/prebuilt.Dockerfile" || len(d.IDs) != 2 || d.BuildFlags[0] != "--platform=linux/"+d.Goarch {
			t.Errorf("%+v", d)
		}
	}
	if len(images) != 2 || len(release.Manifests) != 1 || strings.Join(release.Manifests[0].ImageTemplates, " ") != strings.Join(images, " ") {
		t.Errorf("images %q, manifests %+v", images, release.Manifests)
	}
	if len(release.SBOMs) != 1 || release.SBOMs[0].Artifacts != "binary" {
		t.Errorf("bills of materials %+v", release.SBOMs)
	}
}

// TestWorkflows: each action has a pinned version, and a workflow has only the permissions that it
// names.
func TestWorkflows(t *testing.T) {
	for _, path := range []string{".github/workflows/ci.yml", ".github/workflows/release.yml"} {
		body := read(t, path)
		for _, use := range regexp.MustCompile(`uses: (\S+)`).FindAllStringSubmatch(body, -1) {
			if !regexp.MustCompile(`@(v[0-9][0-9.]*|[0-9a-f]{40})$`).MatchString(use[1]) {
				t.Errorf("%s: %s has no version", path, use[1])
			}
		}
		if !strings.Contains(body, "permissions:\n  contents: read\n") || strings.Count(body, "uses: actions/checkout") != strings.Count(body, "persist-credentials: false") {
			t.Errorf("%s: has more rights than it needs", path)
		}
	}
}

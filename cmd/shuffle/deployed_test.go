package main

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// service is a service of docker-compose.yml.
type service struct {
	Image           string
	Build           struct{ Dockerfile, Target string }
	Command         []string
	Environment     map[string]string
	Ports           []string
	ReadOnly        bool                                  `yaml:"read_only"`
	CapDrop         []string                              `yaml:"cap_drop"`
	SecurityOpt     []string                              `yaml:"security_opt"`
	StopGracePeriod string                                `yaml:"stop_grace_period"`
	DependsOn       map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck     struct {
		Test    []string
		Disable bool
	}
}

func composeServices(t *testing.T) map[string]service {
	t.Helper()
	body, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Services map[string]service }
	if err := yaml.Unmarshal(body, &file); err != nil {
		t.Fatal(err)
	}
	return file.Services
}

// checkCommand gets the program's help for the command, and looks for every flag and variable in
// it.
func checkCommand(t *testing.T, command []string, environment map[string]string) {
	t.Helper()
	help := helpOf(t, command[0])
	for name := range environment {
		if !strings.HasPrefix(name, "AWS_") && !hasVariable(help, name) {
			t.Errorf("shuffle %s knows no %s", command[0], name)
		}
	}
	for _, argument := range command[1:] {
		flag, _, _ := strings.Cut(argument, "=")
		if !strings.Contains(help, flag) {
			t.Errorf("shuffle %s knows no %s", command[0], flag)
		}
	}
	for name, value := range environment {
		t.Setenv(name, value)
	}
	var out, logs bytes.Buffer
	p, err := parse(command, &out, &logs)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(p.config, &out, &logs) // it also validates
	if err != nil {
		t.Fatalf("shuffle %s with %v: %v", command, environment, err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
}

// TestCompose: the program has the commands and variables of docker-compose.yml, and its containers
// have no unnecessary rights.
func TestCompose(t *testing.T) {
	services := composeServices(t)
	for _, name := range []string{"localstack", "setup", "sheets", "planner", "worker", "tracker"} {
		if _, ok := services[name]; !ok {
			t.Errorf("there is no service %s", name)
		}
	}
	for name, s := range services {
		t.Run(name, func(t *testing.T) {
			for _, port := range s.Ports {
				if !strings.HasPrefix(port, "127.0.0.1:") {
					t.Errorf("port %s is open to the network", port)
				}
			}
			for other := range s.DependsOn {
				if _, ok := services[other]; !ok {
					t.Errorf("waits for %s, which is not there", other)
				}
			}
			if name == "localstack" {
				if s.Image != "localstack/localstack:4.14.0" || len(s.Healthcheck.Test) == 0 {
					t.Errorf("image %s, health check %v", s.Image, s.Healthcheck.Test)
				}
				return
			}
			checkContainer(t, s)
			if s.Build.Target == "" { // the program's own image
				checkCommand(t, s.Command, s.Environment)
			} else {
				checkRehearsal(t, s.Command, s.Healthcheck.Test[2:])
			}
		})
	}
}

// checkRehearsal looks for every flag in the usage of the command that replaces the outside world.
func checkRehearsal(t *testing.T, commands ...[]string) {
	t.Helper()
	usage, err := exec.CommandContext(t.Context(), "go", "run", "../../deploy/rehearsal", "-help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, usage)
	}
	for _, argument := range slices.Concat(commands...) {
		if strings.HasPrefix(argument, "-") && !strings.Contains(string(usage), "  "+argument) {
			t.Errorf("the rehearsal knows no %s:\n%s", argument, usage)
		}
	}
}

func checkContainer(t *testing.T, s service) {
	t.Helper()
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges") {
		t.Errorf("read_only %v, cap_drop %v, security_opt %v", s.ReadOnly, s.CapDrop, s.SecurityOpt)
	}
	if _, err := os.Stat("../../" + s.Build.Dockerfile); err != nil {
		t.Error(err)
	}
	grace, err := time.ParseDuration(s.StopGracePeriod)
	if err != nil {
		t.Fatal(err)
	}
	drain, err := time.ParseDuration(s.Environment["SHUFFLE_DRAIN"])
	if err != nil {
		t.Fatal(err)
	}
	if drain >= grace {
		t.Errorf("SHUFFLE_DRAIN %s is not below stop_grace_period %s", drain, grace)
	}
}

// TestStackCommands: the program has the commands and variables of the task definitions.
func TestStackCommands(t *testing.T) {
	stack := parsedStack(t)
	for _, task := range stack.Of("AWS::ECS::TaskDefinition") {
		t.Run(task, func(t *testing.T) {
			c := stack.Container(task)
			checkCommand(t, c.Command, c.Environment)
		})
	}
}

// TestImagesAreAlike: the last stages of both Dockerfiles have the same settings.
func TestImagesAreAlike(t *testing.T) {
	settings := func(path string) (all []string) {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		stage := body[bytes.LastIndex(body, []byte("\nFROM ")):]
		for line := range strings.Lines(string(stage)) {
			word, _, _ := strings.Cut(line, " ")
			if slices.Contains([]string{"USER", "ENV", "HEALTHCHECK", "ENTRYPOINT", "CMD", "ARG", "LABEL"}, word) {
				all = append(all, line)
			}
		}
		return all
	}
	built, prebuilt := settings("../../deploy/Dockerfile"), settings("../../deploy/prebuilt.Dockerfile")
	if len(built) < 4 || !slices.Equal(built, prebuilt) {
		t.Errorf("%q\n%q", built, prebuilt)
	}
}

// TestImageSize: the loaded parts of the program, which are all that -s -w leave in the image, stay
// below 40 MB with the certificates.
func TestImageSize(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the image has a program for Linux; this one is for " + runtime.GOOS)
	}
	f, err := elf.Open(binaryPath)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // It was only read.
	// The image is built with -trimpath, and this program is not: it has the folders of this machine
	// in the names of all its source files.
	const most, certificates, folders = 40_000_000, 250_000, 150_000
	size := uint64(certificates)
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOBITS {
			size += s.Size
		}
	}
	if size -= folders; size > most {
		t.Errorf("the image has %d bytes, expected %d at most: see go tool nm -size -sort size", size, most)
	}
}

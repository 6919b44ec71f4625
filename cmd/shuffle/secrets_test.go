package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// leaf is a complete command, with a value for each required argument.
type leaf struct {
	args  []string
	flags []*kong.Flag // its own flags and those of all commands
}

// leaves are all commands of the program.
func leaves(t *testing.T) (all []leaf) {
	t.Helper()
	k, err := kong.New(&cli{}, kong.DefaultEnvars("SHUFFLE"))
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range k.Model.Leaves(false) {
		args := strings.Fields(node.Path())
		for _, argument := range node.Positional {
			if argument.Required {
				args = append(args, example(argument))
			}
		}
		all = append(all, leaf{args, slices.Concat(node.Flags, k.Model.Flags)})
	}
	if len(all) < 20 {
		t.Fatalf("only %d commands", len(all))
	}
	return all
}

func example(argument *kong.Positional) string {
	switch {
	case argument.Enum != "":
		return strings.Split(argument.Enum, ",")[0]
	case argument.Name == "frame":
		return "TT_S01_E01_FRM-00-00-00-00"
	}
	return "1"
}

// planted is in every secret of these tests, after its first character, so the tests also find a
// part of a secret.
const planted = "Hush4Hush7"

// randomKey has the format of an AWS key.
const randomKey = "wJalrXUtnFEMI/" + planted + "/bPxRfiCYEXAMPLE"

// pemKey is a private key in the format in which a person pastes it.
const pemKey = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC" + planted + "\n" + planted + "MIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----\n"

func accountJSON(key string) string {
	return fmt.Sprintf(`{"type":"service_account","private_key_id":"%s","private_key":%q,"client_email":"a@b.example.com","token_uri":"http://127.0.0.1:1/%s"}`, planted, key, "token")
}

// mustHide runs a command and fails the test when it prints a part of a secret. Services are killed
// after they have reported the error.
func (w *world) mustHide(env, args []string) {
	w.t.Helper()
	p := start(w.t, w.work, env, args...)
	limit := 20 * time.Second // for services that run on, such as a worker of run, or a dashboard
	if slices.Contains(args, "work") || slices.Contains(args, "track") {
		limit = 500 * time.Millisecond
	}
	p.killAfter(limit)
	encoded := base64.StdEncoding.EncodeToString([]byte("xx" + planted))[4:12]
	for _, part := range []string{planted, encoded} {
		if text := p.out.String() + p.logs.String(); strings.Contains(text, part) {
			w.t.Errorf("shuffle %q shows a secret:\n%.3000s", args, strings.ReplaceAll(text, part, "<<"+part+">>"))
		}
	}
}

// shuffle, each command: no secret of a variable, of .env or of a file is printed, for any error,
// at the level debug.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	w.must(os.WriteFile(filepath.Join(w.work, "aws"), []byte("[default]\naws_access_key_id = A\naws_secret_access_key = "+randomKey+"\n"+planted+"\n[profile x\n"), 0o600))
	w.must(os.WriteFile(filepath.Join(w.work, "config"), []byte("[profile p]\nendpoint_url = http://user:"+planted+"@127.0.0.1:1\nregion = "+planted+"\n"), 0o600))
	w.must(os.WriteFile(filepath.Join(w.work, "broken.json"), []byte(accountJSON(pemKey)[:200]), 0o600))
	cloud := slices.Concat(w.env, []string{"SHUFFLE_LOG_LEVEL=debug", "AWS_REGION=us-west-2", "AWS_ACCESS_KEY_ID=A", "AWS_EC2_METADATA_DISABLED=true"})
	keys := []string{"AWS_SECRET_ACCESS_KEY=" + randomKey, "AWS_SESSION_TOKEN=" + planted + "token"}
	onDisk := []string{"SHUFFLE_BUCKET=file://" + w.bucket(), "SHUFFLE_QUEUES=sqlite://" + w.dir + "/queues.db", "SHUFFLE_SHEETS=google://"}
	for _, scene := range []struct {
		name string
		file string // .env
		env  []string
	}{
		{"all goes well", "SHUFFLE_LOCAL=" + w.dir + "\nDATABASE_PASSWORD=" + planted, []string{"GOOGLE_DRIVE_CREDENTIALS_FILE=" + accountJSON(pemKey)}},
		{"a slip in .env", "AWS_SECRET_ACCESS_KEY=\"" + randomKey + "\nA=" + planted, nil},
		{"nothing but a key in .env", planted, nil},
		{"passwords in endpoints", "", []string{"AWS_ENDPOINT_URL=http://user:" + planted + "@127.0.0.1:1", "SHUFFLE_SHEETS_ENDPOINT=http://127.0.0.1:1/?key=" + planted}},
		{"endpoints in .env", "AWS_ENDPOINT_URL=http://" + planted + "@127.0.0.1:1\nSHUFFLE_SHEETS_ENDPOINT='http://u:" + planted + "@127.0.0.1:1/'", nil},
		{"endpoints without a scheme", "", []string{"AWS_ENDPOINT_URL_S3=user:" + planted + "@127.0.0.1:1", "AWS_ENDPOINT_URL_SQS=:" + planted + "@x"}},
		{"endpoints that do not parse", "", []string{"AWS_ENDPOINT_URL=http://user:" + planted + "@127.0.0.1:x y", "SHUFFLE_SHEETS_ENDPOINT=http://u:" + planted + "%zz@x"}},
		{"passwords in proxies", "", []string{"HTTP_PROXY=http://user:" + planted + "@127.0.0.1:1", "HTTPS_PROXY=http://user:" + planted + "@127.0.0.1:1"}},
		{"a proxy that does not parse", "", []string{"HTTPS_PROXY=://user:" + planted + "@127.0.0.1:1x"}},
		{"a profile with a password", "", []string{"AWS_PROFILE=p", "AWS_CONFIG_FILE=" + w.work + "/config"}},
		{"a broken file of keys", "", []string{"AWS_SHARED_CREDENTIALS_FILE=" + w.work + "/aws", "AWS_ENDPOINT_URL=http://127.0.0.1:1"}},
		{"ports with passwords", "", []string{"SHUFFLE_BUCKET=s3://key:" + planted + "@bucket", "SHUFFLE_QUEUES=sqs://" + planted + "@x", "SHUFFLE_SHEETS=google://?key=" + planted}},
		{"a queue with a password", "", []string{"SHUFFLE_TASKS_QUEUE=https://u:" + planted + "@127.0.0.1:1/1/tasks", "AWS_ENDPOINT_URL=http://127.0.0.1:1"}},
		{"base64", "", append(onDisk, "GOOGLE_DRIVE_CREDENTIALS_FILE="+base64.StdEncoding.EncodeToString([]byte(accountJSON(pemKey))))},
		{"PEM", "", append(onDisk, "GOOGLE_DRIVE_CREDENTIALS_FILE="+pemKey)},
		{"JSON that is cut off", "GOOGLE_DRIVE_CREDENTIALS_FILE='" + accountJSON("x" + planted)[:150] + "'", onDisk},
		{"a broken file", "", append(onDisk, "GOOGLE_DRIVE_CREDENTIALS_FILE=broken.json")},
		{"Google's own variable", "", append(onDisk, "GOOGLE_APPLICATION_CREDENTIALS="+accountJSON(pemKey))},
		{"a file in Google's own variable", "", append(onDisk, "GOOGLE_APPLICATION_CREDENTIALS=broken.json")},
	} {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			scened := *w
			scened.t, scened.work = t, t.TempDir()
			scened.must(os.CopyFS(scened.work, os.DirFS(w.work)))
			scened.must(os.WriteFile(filepath.Join(scened.work, ".env"), []byte(scene.file), 0o600))
			for _, command := range leaves(t) {
				if command.args[0] == "demo" {
					command.args = append(command.args, "--episodes=1", "--frames=100")
				}
				scened.mustHide(slices.Concat(cloud, keys, scene.env), command.args)
			}
		})
	}
}

// shuffle, each flag of each command, with a key as its value by mistake, on the command line and
// in its variable.
func TestKeysInTheWrongSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(os.MkdirAll(w.dir, 0o700))
	seen := map[string]bool{}
	for _, command := range leaves(t) {
		if command.args[0] == "demo" {
			continue
		}
		for _, flag := range command.flags {
			if seen[flag.Name] {
				continue
			}
			seen[flag.Name] = true
			env := append(slices.Clone(w.env), "SHUFFLE_LOCAL="+w.dir)
			for _, key := range []string{randomKey, pemKey} {
				w.mustHide(env, append([]string{"--" + flag.Name + "=" + key}, command.args...))
				w.mustHide(env, append(slices.Clone(command.args), "--"+flag.Name+"="+key))
				for _, variable := range flag.Envs {
					w.mustHide(append(slices.Clone(env), variable+"="+key), command.args)
				}
			}
		}
		for _, key := range []string{randomKey, pemKey} {
			w.mustHide(w.env, append(slices.Clone(command.args), key))
		}
	}
}

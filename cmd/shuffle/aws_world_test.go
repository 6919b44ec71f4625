package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
)

// newClients returns clients of the SDK, not the program's adapters.
func newClients(t *testing.T, endpoint string) (*s3.Client, *sqs.Client) {
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-west-2"), config.WithBaseEndpoint(endpoint),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), sqs.NewFromConfig(cfg)
}

// Prefixes in the bucket.
const (
	mlFolder    = "tuttle_twins/ML/"
	stateFolder = "tuttle_twins/shuffle/"
)

// listed is a key's entry in a listing.
type listed struct {
	etag     string
	modified time.Time
}

// list lists the whole bucket.
func (w *wire) list() map[string]listed {
	w.t.Helper()
	all := map[string]listed{}
	pages := s3.NewListObjectsV2Paginator(w.s3, &s3.ListObjectsV2Input{Bucket: &w.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, o := range page.Contents {
			all[*o.Key] = listed{strings.Trim(*o.ETag, `"`), *o.LastModified}
		}
	}
	return all
}

func (w *wire) put(key string, body []byte) {
	w.t.Helper()
	if _, err := w.PutObject(w.t.Context(), key, body, bucket.Condition{}); err != nil {
		w.t.Fatalf("put %s: %v", key, err)
	}
}

// PutObject writes for the season, which writes without conditions.
func (w *wire) PutObject(ctx context.Context, key string, body []byte, _ bucket.Condition) (string, error) {
	out, err := w.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &w.bucket, Key: &key, Body: bytes.NewReader(body)})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ETag), nil
}

func (w *wire) get(key string) []byte {
	w.t.Helper()
	out, err := w.s3.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: &w.bucket, Key: &key})
	if err != nil {
		w.t.Fatalf("get %s: %v", key, err)
	}
	defer out.Body.Close() //nolint:errcheck // It has been read completely, or the read has failed.
	body, err := io.ReadAll(out.Body)
	if err != nil {
		w.t.Fatalf("get %s: %v", key, err)
	}
	return body
}

func (w *wire) remove(key string) {
	w.t.Helper()
	if _, err := w.s3.DeleteObject(w.t.Context(), &s3.DeleteObjectInput{Bucket: &w.bucket, Key: &key}); err != nil {
		w.t.Fatalf("delete %s: %v", key, err)
	}
}

// frameKey matches a frame's key in a dataset: in a class folder, or in the dataset's own folder.
var frameKey = regexp.MustCompile(`^tuttle_twins/ML/(?:train|validate|test)/(?:[^/]+/)?(TT_S\d\d_E\d\d_FRM-\d\d-\d\d-\d\d-\d\d)\.jpg$`)

// frameAt returns the frame of a key of the datasets; false for all other keys.
func frameAt(key string) (dataset.Frame, bool) {
	m := frameKey.FindStringSubmatch(key)
	if m == nil {
		return "", false
	}
	return dataset.Frame(m[1]), true
}

// home is the key where a frame belongs: section 5 of the design, implemented a second time.
func home(f dataset.Frame, class string) string {
	sum := sha256.Sum256([]byte(wireSeed + "\n" + string(f)))
	u, name := float64(binary.BigEndian.Uint64(sum[:8]))/(1<<64), "test"
	switch {
	case u < 0.7:
		name = "train"
	case u < 0.8:
		name = "validate"
	}
	return mlFolder + name + "/" + class + "/" + f.File()
}

// want is the expected content of the bucket, key → ETag, after these episodes have been applied to
// the content before. Their frames are where the sheets want them, and everything else is
// unchanged. Frozen frames and those in except do not change. The program's state is not included.
func (w *wire) want(before map[string]listed, episodes []*season.Episode, except ...dataset.Frame) map[string]string {
	w.t.Helper()
	want, planned, stays := map[string]string{}, map[dataset.Episode]bool{}, map[dataset.Frame]bool{}
	for _, f := range except {
		stays[f] = true
	}
	for _, e := range episodes {
		planned[e.Episode] = true
		classes, frozen := e.Wanted()
		maps.Copy(stays, frozen)
		maps.Copy(stays, rowless(e, before))
		for f, class := range classes {
			image, ok := before[e.ImagePrefix()+f.File()]
			if !ok && !stays[f] {
				w.t.Fatalf("%s has no image in the bucket", f)
			}
			if !stays[f] {
				want[home(f, class)] = image.etag
			}
		}
	}
	for key, o := range before {
		f, ok := frameAt(key)
		if !strings.HasPrefix(key, stateFolder) && (!ok || !planned[f.Episode()] || stays[f]) {
			want[key] = o.etag
		}
	}
	return want
}

// rowless are the frames without a row that do not change, because the sheet has rows whose frame
// is unknown.
func rowless(e *season.Episode, before map[string]listed) map[dataset.Frame]bool {
	stays, named, unknown := map[dataset.Frame]bool{}, map[dataset.Frame]bool{}, false
	for _, r := range e.Rows {
		f, err := dataset.ParseFrame(r.Frame)
		unknown = unknown || err != nil || f.Episode() != e.Episode
		named[f] = true
	}
	for key := range before {
		if f, ok := frameAt(key); ok && unknown && f.Episode() == e.Episode && !named[f] {
			stays[f] = true
		}
	}
	return stays
}

// changed counts the frames that differ from what is wanted. Each must cost one task.
func changed(before map[string]listed, want map[string]string) int {
	frames := map[dataset.Frame]bool{}
	for key, o := range before {
		if f, ok := frameAt(key); ok && want[key] != o.etag {
			frames[f] = true
		}
	}
	for key, etag := range want {
		if f, ok := frameAt(key); ok && before[key].etag != etag {
			frames[f] = true
		}
	}
	return len(frames)
}

// mustHold compares the whole bucket, without the program's state, with the expected content.
func (w *wire) mustHold(want map[string]string) {
	w.t.Helper()
	var wrong []string
	got := w.list()
	for key, o := range got {
		if !strings.HasPrefix(key, stateFolder) && want[key] != o.etag {
			wrong = append(wrong, fmt.Sprintf("%s has ETag %s, want %q", key, o.etag, want[key]))
		}
	}
	for key := range want {
		if _, ok := got[key]; !ok {
			wrong = append(wrong, key+" is missing")
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		w.t.Fatalf("%d objects are not as they must be:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 20)], "\n"))
	}
}

// mustBeUntouched compares two listings, including the time when each object was written. It
// ignores the folder but.
func (w *wire) mustBeUntouched(before map[string]listed, but string) {
	w.t.Helper()
	outside := func(key string, _ listed) bool { return but != "" && strings.HasPrefix(key, but) }
	was, is := maps.Clone(before), w.list()
	maps.DeleteFunc(was, outside)
	maps.DeleteFunc(is, outside)
	if !maps.Equal(was, is) {
		w.t.Errorf("written although nothing was to do: %v → %v", was, is)
	}
}

package s3bucket

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

const webPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Welcome</body></html>"

// An answer that is no listing, or another one than that asked for, is never taken for an empty
// folder.
func TestListRefusesWrongAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		says   string
	}{
		"a web page":             {200, webPage, "<html>, expected <ListBucketResult>"},
		"a web page of no XML":   {200, "<html><br></html>", "<html>, expected <ListBucketResult>"},
		"text":                   {200, "OK", `begins with "OK"`},
		"JSON":                   {200, `{"ok":true}`, `begins with "{\"ok\":true}"`},
		"another result":         {200, copied, "<CopyObjectResult>"},
		"another status":         {203, webPage, "<html>"},
		"another bucket":         {200, "<ListBucketResult><Name>other</Name></ListBucketResult>", `lists the bucket "other"`},
		"another prefix":         {200, "<ListBucketResult><Prefix>b/</Prefix></ListBucketResult>", `lists the prefix "b/"`},
		"more, but not where":    {200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "not where"},
		"a key that is not text": {200, "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%z</Key><Size>1</Size></Contents></ListBucketResult>", "decode key"},
	} {
		b, requests := scripted(always(test.status, test.body))
		_, err := b.ListObjects(t.Context(), bucket.ListInput{Prefix: "a/"})
		if codeIn(err) != bucket.CodeBadAnswer || !strings.Contains(err.Error(), test.says) || *requests != 1 {
			t.Errorf("%s: %v after %d requests, expected %q", name, err, *requests, test.says)
		}
	}
	// An empty answer counts as cut off, and is asked for again.
	synctest.Test(t, func(t *testing.T) {
		b, requests := scripted(always(200, ""))
		_, err := b.ListObjects(t.Context(), bucket.ListInput{Prefix: "a/"})
		if err == nil || *requests != attempts {
			t.Errorf("an empty answer: %v after %d requests", err, *requests)
		}
	})
}

// The echo of the prefix may be encoded or not, and an access point may answer with the bucket's
// name.
func TestListTakesEveryEcho(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"a+b/", "a%2Bb/"} {
		b, _ := scripted(always(200, "<ListBucketResult><Name>media.angel-nft.com</Name><EncodingType>url</EncodingType><Prefix>"+prefix+"</Prefix></ListBucketResult>"))
		if _, err := b.ListObjects(t.Context(), bucket.ListInput{Prefix: "a+b/"}); err != nil {
			t.Errorf("%s: %v", prefix, err)
		}
	}
	b, _ := scripted(always(200, "<ListBucketResult><Name>media</Name></ListBucketResult>"))
	b.name = "media-metadata123-s3alias"
	if _, err := b.ListObjects(t.Context(), bucket.ListInput{}); err != nil {
		t.Error(err)
	}
}

func TestReadsRefuseWrongAnswers(t *testing.T) {
	t.Parallel()
	b, _ := scripted(always(200, webPage, "Content-Type", "text/html"))
	_, err := b.GetObject(t.Context(), "state/current.json", "")
	if codeIn(err) != bucket.CodeBadAnswer || !strings.Contains(err.Error(), `no ETag (Content-Type "text/html")`) {
		t.Errorf("get: %v", err)
	}
	if _, _, err = b.OpenObject(t.Context(), "a.jpg"); codeIn(err) != bucket.CodeBadAnswer {
		t.Errorf("open: %v", err)
	}
	if _, err = b.HeadObject(t.Context(), "a.jpg"); codeIn(err) != bucket.CodeBadAnswer {
		t.Errorf("head: %v", err)
	}
	b, _ = scripted(always(200, webPage, "ETag", `"of the page"`, "Content-Type", "text/html; charset=utf-8"))
	if _, err = b.GetObject(t.Context(), "state/current.json", ""); codeIn(err) != bucket.CodeBadAnswer || !strings.Contains(err.Error(), "web page, expected JSON") {
		t.Errorf("get with an ETag: %v", err)
	}
	if c, err := b.GetObject(t.Context(), "state/report.html", ""); err != nil || string(c.Body) != webPage {
		t.Errorf("a page that is wanted: %v", err)
	}
}

func TestWritesRefuseWrongAnswers(t *testing.T) {
	t.Parallel()
	b, _ := scripted(always(200, ""))
	if _, err := b.PutObject(t.Context(), "key", nil, bucket.Condition{}); codeIn(err) != bucket.CodeBadAnswer {
		t.Errorf("put: %v", err)
	}
	const begin, end = "<DeleteResult>", "</DeleteResult>"
	deleted := func(key string) string { return "<Deleted><Key>" + key + "</Key></Deleted>" }
	for name, test := range map[string]struct {
		body   string
		failed string // the keys
		bad    bool
	}{
		"quiet":                       {begin + end, "", false},
		"not quiet":                   {begin + deleted("a") + deleted("b") + end, "", false},
		"a key is not named":          {begin + deleted("a") + end, "b", false},
		"a key that was not asked":    {begin + deleted("c") + end, "", true},
		"an error of another key":     {begin + "<Error><Key>c</Key><Code>AccessDenied</Code></Error>" + end, "", true},
		"a web page":                  {webPage, "", true},
		"a result of another request": {"<ListBucketResult></ListBucketResult>", "", true},
	} {
		b, _ := scripted(always(200, test.body))
		failed, err := b.DeleteObjects(t.Context(), []string{"a", "b"})
		keys := ""
		for _, e := range failed {
			keys += e.Key
		}
		if keys != test.failed || (codeIn(err) == bucket.CodeBadAnswer) != test.bad || (err != nil) != test.bad {
			t.Errorf("%s: failed %q, %v", name, keys, err)
		}
	}
	b, _ = scripted(always(200, ""))
	if _, err := b.DeleteObjects(t.Context(), []string{"a"}); err == nil {
		t.Error("an empty answer counts as a success")
	}
}

// A bucket with a default retention of Object Lock refuses a PutObject without a checksum, and
// every store a DeleteObjects without one. A store checks the hash that was signed.
func TestChecksums(t *testing.T) {
	t.Parallel()
	b, _ := scripted(func(r *http.Request) reply {
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
		}
		sum := md5.Sum(body)
		switch given := r.Header.Get("Content-Md5"); {
		case given == "" && r.Header.Get("X-Amz-Checksum-Crc32") == "":
			return answer(400, errorBody("InvalidRequest"))
		case given != "" && given != base64.StdEncoding.EncodeToString(sum[:]):
			return answer(400, errorBody("BadDigest"))
		case r.Method == http.MethodPut && r.Header.Get("X-Amz-Content-Sha256") != fmt.Sprintf("%x", sha256.Sum256(body)):
			return answer(400, errorBody("XAmzContentSHA256Mismatch"))
		case r.Method == http.MethodPost:
			return answer(200, "<DeleteResult></DeleteResult>")
		}
		return answer(200, "", "ETag", `"e"`)
	})
	for _, cond := range []bucket.Condition{{}, {IfNoneMatch: true}, {IfMatch: "e"}} {
		for _, body := range []string{"", "body", strings.Repeat("large", 1<<20)} {
			if _, err := b.PutObject(t.Context(), "key", []byte(body), cond); err != nil {
				t.Errorf("put of %d bytes, %+v: %v", len(body), cond, err)
			}
		}
	}
	if failed, err := b.DeleteObjects(t.Context(), []string{"key"}); err != nil || len(failed) > 0 {
		t.Errorf("delete: %v, %v", failed, err)
	}
}

// The listing has the storage class of an archived object. An unknown class is not changed.
func TestStorageClasses(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString("<ListBucketResult>")
	classes := []string{"DEEP_ARCHIVE", "GLACIER", "GLACIER_IR", "INTELLIGENT_TIERING", "NEW", "STANDARD"}
	for i, class := range classes {
		body.WriteString("<Contents><Key>" + string(rune('a'+i)) + "</Key><ETag>e</ETag><Size>1</Size><StorageClass>" + class + "</StorageClass></Contents>")
	}
	body.WriteString("<Contents><Key>g</Key><ETag>e</ETag><Size>0</Size></Contents></ListBucketResult>")
	b, _ := scripted(always(200, body.String()))
	page, err := b.ListObjects(t.Context(), bucket.ListInput{})
	if err != nil || len(page.Objects) != len(classes)+1 {
		t.Fatalf("%+v, %v", page, err)
	}
	for i, class := range append(classes, "STANDARD") {
		o := page.Objects[i]
		if class == "STANDARD" {
			class = ""
		}
		if o.StorageClass != class || o.IsArchived() != (i < 2) {
			t.Errorf("%s: %q, archived: %v, expected %q", o.Key, o.StorageClass, o.IsArchived(), class)
		}
	}
	b, _ = scripted(always(200, "", "ETag", `"e"`, "X-Amz-Storage-Class", "GLACIER"))
	if o, err := b.HeadObject(t.Context(), "a"); err != nil || !o.IsArchived() {
		t.Errorf("head: %+v, %v", o, err)
	}
}

// TestCopyScannerIsUsed: what S3 sends does not go through encoding/xml.
func TestCopyScannerIsUsed(t *testing.T) {
	t.Parallel()
	for _, body := range []string{copied, copyAnswer, declaration + "\n" + copied} {
		if etag, ok := scanCopyResult([]byte(body)); !ok || etag == "" {
			t.Errorf("not read: %s", body)
		}
	}
}

// FuzzScanCopyResult: what the scanner reads, encoding/xml reads too, and as the same.
func FuzzScanCopyResult(f *testing.F) {
	for _, body := range []string{copied, copyAnswer, "<CopyObjectResult/>", "<CopyObjectResult><ETag/></CopyObjectResult>", "<CopyObjectResult><ETag>a</ETag><ETag>b</ETag></CopyObjectResult>", "<Error><Code>SlowDown</Code></Error>"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, ok := scanCopyResult([]byte(body))
		if !ok {
			return
		}
		var want struct{ ETag string }
		if err := decode([]byte(body), copyRoot, &want); err != nil || got != want.ETag {
			t.Errorf("%q: read as %q, want %q, %v", body, got, want.ETag, err)
		}
	})
}

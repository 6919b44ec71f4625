package rows

import (
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

var bucketNames = []string{"media.angel-nft.com"}

func TestParseBase(t *testing.T) {
	const (
		folder = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"
		short  = "tuttle_twins/default_eng/v1/frames/thumbnails/"
		bucket = "media.angel-nft.com"
	)
	for _, test := range []struct{ name, raw, want string }{
		{"the real one", uri, folder},
		{"s3", "s3://" + bucket + "/" + folder, folder},
		{"s3 in capitals", "S3://" + bucket + "/" + folder, folder},
		{"bucket and key", bucket + "/" + folder, folder},
		{"no slash at the end", bucket + "/" + strings.TrimSuffix(folder, "/"), folder},
		{"spaces around", " \u00a0s3://" + bucket + "/" + folder + "\n", folder},
		{"path-style, old region", "https://s3-us-west-2.amazonaws.com/" + bucket + "/" + folder, folder},
		{"path-style, no region", "https://s3.amazonaws.com/" + bucket + "/" + folder, folder},
		{"path-style, dual stack", "https://s3.dualstack.us-west-2.amazonaws.com/" + bucket + "/" + folder, folder},
		{"path-style, another host and port", "http://127.0.0.1:4566/" + bucket + "/" + folder, folder},
		{"virtual host", "https://" + bucket + ".s3.us-west-2.amazonaws.com/" + folder, folder},
		{"virtual host, no region", "https://" + bucket + ".s3.amazonaws.com/" + folder, folder},
		{"virtual host, old region", "https://" + bucket + ".s3-us-west-2.amazonaws.com/" + folder, folder},
		{"virtual host in capitals", "HTTPS://Media.Angel-NFT.com.S3.us-west-2.AmazonAWS.com/" + folder, folder},
		{"the bucket's own host", "https://" + bucket + "/" + folder, folder},
		{"percent-encoded", "https://" + bucket + "/tuttle%5Ftwins/s01e01/default%20eng/", "tuttle_twins/s01e01/default eng/"},
		{"episode in capitals stays", "s3://" + bucket + "/tuttle_twins/S01E01/frames/", "tuttle_twins/S01E01/frames/"},
		{"another show's folder, with the episode", "s3://" + bucket + "/other/s01e01/frames/", "other/s01e01/frames/"},
		{"episode put in", bucket + "/" + short, folder},
		{"episode put in, https", "https://s3.us-west-2.amazonaws.com/" + bucket + "/" + short, folder},
		{"folders that only look like episodes", "s3://" + bucket + "/tuttle_twins/se/s1e/sxe1/e1/s01e01x/", "tuttle_twins/s01e01/se/s1e/sxe1/e1/s01e01x/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := ParseBase(test.raw, bucketNames, "tuttle_twins", "S01E01"); err != nil || got != test.want {
				t.Errorf("ParseBase(%q) = %q, %v; want %q", test.raw, got, err, test.want)
			}
		})
	}
}

func TestParseBaseRefuses(t *testing.T) {
	for _, test := range []struct{ name, raw, want string }{
		{"another bucket", "s3://other/tuttle_twins/s01e01/frames/", "another bucket"},
		{"another bucket, path-style", "https://s3.us-west-2.amazonaws.com/other/tuttle_twins/s01e01/", `another bucket, "other"`},
		{"another bucket, virtual host", "https://other.s3.us-west-2.amazonaws.com/media.angel-nft.com/tuttle_twins/s01e01/", `another bucket, "other.s3.us-west-2.amazonaws.com"`},
		{"a bucket with that name in it", "https://xmedia.angel-nft.com.s3.amazonaws.com/media.angel-nft.com/s01e01/", "another bucket"},
		{"another host that goes on", "https://media.angel-nft.com.evil.example/tuttle_twins/s01e01/", "another bucket"},
		{"user information", "https://x@media.angel-nft.com/tuttle_twins/s01e01/", "another bucket"},
		{"another episode", "s3://media.angel-nft.com/tuttle_twins/s01e02/frames/", `expected the episode S01E01, found another episode, "s01e02"`},
		{"two episodes", "s3://media.angel-nft.com/tuttle_twins/s01e01/s01e02/", "another episode"},
		{"an episode beyond the codes", "s3://media.angel-nft.com/tuttle_twins/s001e001/", "another episode"},
		{"no episode, outside the prefix", "s3://media.angel-nft.com/elsewhere/frames/", "expected the episode's folder s01e01"},
		{"no episode, a longer prefix", "s3://media.angel-nft.com/tuttle_twins2/frames/", "expected the episode's folder s01e01"},
		{"no folder", "s3://media.angel-nft.com/", "0 bytes"},
		{"only a bucket", "media.angel-nft.com", "0 bytes"},
		{"nothing", "", "another bucket"},
		{"a dot-dot", "s3://media.angel-nft.com/tuttle_twins/s01e01/../ML/", `".."`},
		{"an encoded dot-dot", "https://media.angel-nft.com/tuttle_twins/s01e01/%2e%2E/ML/", `".."`},
		{"encoded twice", "https://media.angel-nft.com/tuttle_twins/s01e01/%252e%252e/", "percent-encoded twice"},
		{"encoded wrongly", "https://media.angel-nft.com/tuttle_twins/s01e01/%zz/", "percent-encoded path"},
		{"an empty segment", "s3://media.angel-nft.com/tuttle_twins//s01e01/", "empty"},
		{"two slashes at the end", "s3://media.angel-nft.com/tuttle_twins/s01e01//", "empty"},
		{"a control character", "s3://media.angel-nft.com/tuttle_twins/s01e01/a%00b/", "control character"},
		{"bytes that are no text", "s3://media.angel-nft.com/tuttle_twins/s01e01/%ff/", "control character"},
		{"the datasets", "s3://media.angel-nft.com/tuttle_twins/ML/s01e01/", "under tuttle_twins/ML/"},
		{"the datasets, without an episode", "s3://media.angel-nft.com/tuttle_twins/ML", "under tuttle_twins/ML/"},
		{"the datasets, in small letters", "s3://media.angel-nft.com/tuttle_twins/ml/s01e01/", "under tuttle_twins/ML/"},
		{"the state", "s3://media.angel-nft.com/tuttle_twins/shuffle/s01e01/", "under tuttle_twins/shuffle/"},
		{"the manifests", "s3://media.angel-nft.com/tuttle_twins/manifests/s01e01/", "under tuttle_twins/manifests/"},
		{"a query", "https://media.angel-nft.com/tuttle_twins/s01e01/?x=1", "query"},
		{"another scheme", "file:///tuttle_twins/s01e01/", "s3:// or https://"},
		{"too long", "s3://media.angel-nft.com/tuttle_twins/s01e01/" + strings.Repeat("a", 1100), "1,024"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseBase(test.raw, bucketNames, "tuttle_twins", "S01E01")
			if err == nil || !strings.Contains(err.Error(), test.want) || got != "" {
				t.Errorf("ParseBase(%q) = %q, %v; want an error with %q", test.raw, got, err, test.want)
			}
		})
	}
}

func TestBaseWithoutPrefix(t *testing.T) {
	if got, err := ParseBase("s3://b/v1/frames/", []string{"a", "b"}, "", "S01E01"); err != nil || got != "s01e01/v1/frames/" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ParseBase("s3://b/ML/s01e01/", []string{"b"}, "", "S01E01"); err == nil {
		t.Error("the datasets are taken for images")
	}
	if got := DefaultBase("", "S01E01", "thumbnails"); got != "s01e01/default_eng/v1/frames/thumbnails/" {
		t.Errorf("DefaultBase = %q", got)
	}
}

// FuzzParseBase: a base never leaves the bucket's images, and is always this episode's.
func FuzzParseBase(f *testing.F) {
	for _, seed := range []string{
		uri, "s3://media.angel-nft.com/tuttle_twins/s01e01/../ML/", "media.angel-nft.com/tuttle_twins/v1/",
		"https://media.angel-nft.com.s3.amazonaws.com/tuttle_twins/%4dL/s01e01", "http://h/media.angel-nft.com/S1E1/%2e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		base, err := ParseBase(raw, bucketNames, "tuttle_twins", "S01E01")
		if err != nil {
			if base != "" {
				t.Fatalf("base %q and an error", base)
			}
			return
		}
		frame := dataset.FrameAt("S01E01", 0)
		if err := (dataset.Layout{Prefix: "tuttle_twins"}).CheckSource(base+frame.File(), frame); err != nil && len(base) < 900 {
			t.Fatalf("base %q: %v", base, err)
		}
		episode := false
		for seg := range strings.SplitSeq(base, "/") {
			if e, err := dataset.ParseEpisodeFlag(seg); err == nil {
				if e != "S01E01" {
					t.Fatalf("base %q has the folder of %s", base, e)
				}
				episode = true
			}
		}
		if !episode || !strings.HasSuffix(base, "/") || strings.HasPrefix(base, "/") || strings.Contains(base, "..") && strings.Contains("/"+base, "/../") {
			t.Fatalf("base %q", base)
		}
	})
}

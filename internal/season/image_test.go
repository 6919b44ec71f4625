package season_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"image"
	"image/jpeg"
	"sync"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
)

func TestImageCarriesItsTimecode(t *testing.T) {
	e := generate(t, season.Options{Episodes: 1, Frames: 2000}).Episodes[0]
	for _, tc := range []struct {
		index int
		text  string
	}{
		{0, "S01E01 00:00:00:00"},
		{8*24 + 12, "S01E01 00:00:08:12"},
		{1999, "S01E01 00:01:23:07"},
	} {
		body, err := e.Image(dataset.FrameAt(e.Episode, tc.index))
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(body))
		if err != nil {
			t.Fatalf("frame %d: %v", tc.index, err)
		}
		if img.Bounds() != image.Rect(0, 0, 160, 90) {
			t.Errorf("frame %d measures %v", tc.index, img.Bounds())
		}
		if got := likeness(img, tc.text); got < 0.97 {
			t.Errorf("frame %d: %.0f%% of the strip's pixels are those of %q", tc.index, 100*got, tc.text)
		}
		if got := likeness(img, "S01E01 00:00:08:13"); got > 0.995 {
			t.Errorf("frame %d: %.1f%% of the strip's pixels are those of another timecode", tc.index, 100*got)
		}
	}
}

// likeness is the share of the strip's pixels that are bright where the text's are and dark
// elsewhere.
func likeness(img image.Image, text string) float64 {
	want := image.NewGray(image.Rect(0, 75, 160, 90))
	d := font.Drawer{Dst: want, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(4, 86)}
	d.DrawString(text)
	same := 0
	for y := 75; y < 90; y++ {
		for x := range 160 {
			r, g, b, _ := img.At(x, y).RGBA()
			if (r+g+b)/3 > 0x7fff == (want.GrayAt(x, y).Y > 0x7f) {
				same++
			}
		}
	}
	return float64(same) / (160 * 15)
}

func TestImagesAreDistinctAndSmall(t *testing.T) {
	e := generate(t, season.Options{Episodes: 1, Frames: 300}).Episodes[0]
	seen, bytesInAll := map[[md5.Size]byte]dataset.Frame{}, 0
	for f, body := range images(t, e) {
		sum := md5.Sum(body)
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s have the same image", f, other)
		}
		seen[sum] = f
		bytesInAll += len(body)
	}
	if average := bytesInAll / 300; average < 1500 || average > 5000 {
		t.Errorf("images have %d bytes on average, want about 3,000", average)
	}
}

func TestImageDependsOnFrameAlone(t *testing.T) {
	o := season.Options{Episodes: 1, Frames: 100, Seed: 3}
	a, b := images(t, generate(t, o).Episodes[0]), images(t, generate(t, o).Episodes[0])
	for f := range a {
		if !bytes.Equal(a[f], b[f]) {
			t.Errorf("%s was drawn in two ways", f)
		}
	}
}

// memory is a Bucket that keeps the written objects, and fails at a chosen key.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	failAt  string
}

var errRefused = errors.New("refused")

func (m *memory) PutObject(_ context.Context, key string, body []byte, _ bucket.Condition) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if key == m.failAt {
		return "", errRefused
	}
	m.objects[key] = body
	return "", nil
}

func TestWriteWholeSeason(t *testing.T) {
	s := generate(t, season.Options{Episodes: 2, Frames: 120, Oddities: true})
	m := &memory{objects: map[string][]byte{}}
	if err := s.Write(t.Context(), m, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	// One image less and one more by the oddities of each episode; 120 of the held one; the
	// manifest.
	if want := 2*120 + 120 + 1; len(m.objects) != want {
		t.Errorf("%d objects, want %d", len(m.objects), want)
	}
	if m.objects["tuttle_twins/s01e02/default_eng/v1/frames/thumbnails/TT_S01_E02_FRM-00-00-00-07.jpg"] == nil {
		t.Error("an image is missing")
	}
}

func TestWriteReportsFailures(t *testing.T) {
	s := generate(t, season.Options{Episodes: 1, Frames: 50})
	for _, key := range []string{s.ManifestKey(), s.Episodes[0].ImagePrefix() + s.Episodes[0].Images[49].File()} {
		m := &memory{objects: map[string][]byte{}, failAt: key}
		if err := s.Write(t.Context(), m, t.TempDir()); !errors.Is(err, errRefused) {
			t.Errorf("with %s refused: %v", key, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.WriteImages(ctx, &memory{objects: map[string][]byte{}}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context ended: %v", err)
	}
}

func BenchmarkWriteImages(b *testing.B) {
	s, err := season.Generate(season.Options{Episodes: 1, Frames: 1000})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := s.WriteImages(b.Context(), &memory{objects: map[string][]byte{}}); err != nil {
			b.Fatal(err)
		}
	}
}

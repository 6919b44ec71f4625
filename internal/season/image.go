package season

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// An image's size and quality. They give about 3 KB, like a real thumbnail.
const (
	width, height = 160, 90
	quality       = 70
	strip         = 15 // height of the timecode's strip at the bottom
)

// Image draws the frame as a JPEG of 160×90 pixels: its scene, and its timecode on a strip at the
// bottom. A frame has the same bytes until it is repainted.
func (e *Episode) Image(f dataset.Frame) ([]byte, error) {
	p := painter{image.NewRGBA(image.Rect(0, 0, width, height)), float64(f.Index()) / dataset.FPS}
	scene := float64(e.scenes[min(f.Index(), len(e.scenes)-1)])
	// The golden ratio's share of the colour circle sets neighbouring scenes well apart.
	hue := scene*0.381966 + float64(e.Episode[5])*0.13 + float64(e.repainted[f])*0.29
	p.sky(hue)
	p.disc(width-20-math.Mod(p.second*4, width-40), 18, 9, hsl(0.14, 0.95, 0.75))
	p.hills(hue+0.4, scene)
	p.twin(0.42, hsl(hue+0.5, 0.7, 0.45), 0)
	p.twin(0.6, hsl(hue+0.7, 0.7, 0.5), math.Pi/2)
	p.timecode(string(e.Episode) + " " + f.Timecode())
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p.image, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("draw %s: %w", f, err)
	}
	return b.Bytes(), nil
}

// painter draws one moment of the film.
type painter struct {
	image  *image.RGBA
	second float64
}

// row fills part of a line.
func (p painter) row(y, from, to int, c color.RGBA) {
	for x := max(from, 0); x < min(to, width); x++ {
		p.image.SetRGBA(x, y, c)
	}
}

// sky is a gradient that brightens and darkens slowly.
func (p painter) sky(hue float64) {
	for y := range height {
		down := float64(y) / height
		p.row(y, 0, width, hsl(hue+0.1*down, 0.6, 0.45+0.3*down+0.05*math.Sin(p.second/3)))
	}
}

// hills pass by, as seen from a slow cart.
func (p painter) hills(hue, scene float64) {
	near := hsl(hue, 0.45, 0.35)
	for x := range width {
		top := 58 + 7*math.Sin(float64(x)/22+scene+p.second/2) + 3*math.Sin(float64(x)/7-scene)
		for y := int(top); y < height; y++ {
			p.image.SetRGBA(x, y, near)
		}
	}
}

func (p painter) disc(cx, cy, radius float64, c color.RGBA) {
	for y := int(cy - radius); y <= int(cy+radius); y++ {
		if half := radius*radius - (float64(y)-cy)*(float64(y)-cy); half > 0 && y >= 0 && y < height {
			p.row(y, int(cx-math.Sqrt(half)), int(cx+math.Sqrt(half))+1, c)
		}
	}
}

// twin is one of the two, who sway and hop out of step.
func (p painter) twin(across float64, shirt color.RGBA, phase float64) {
	x := across*width + 12*math.Sin(p.second+phase)
	y := 44 - 4*math.Abs(math.Sin(3*p.second+phase))
	for dy := range 20 {
		p.row(int(y)+8+dy, int(x)-6-dy/4, int(x)+7+dy/4, shirt)
	}
	p.disc(x, y, 8, hsl(0.07, 0.6, 0.75))
	p.disc(x-3, y-1, 1.5, color.RGBA{A: 255})
	p.disc(x+3, y-1, 1.5, color.RGBA{A: 255})
}

func (p painter) timecode(text string) {
	draw.Draw(p.image, image.Rect(0, height-strip, width, height), image.NewUniform(color.RGBA{16, 16, 20, 255}), image.Point{}, draw.Src)
	d := font.Drawer{Dst: p.image, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(4, height-4)}
	d.DrawString(text)
}

// hsl is a colour by hue (its fraction counts, one turn being 1), saturation and lightness from 0
// to 1.
func hsl(hue, saturation, lightness float64) color.RGBA {
	spread := saturation * min(lightness, 1-lightness)
	channel := func(n float64) uint8 {
		k := math.Mod(n+math.Mod(hue, 1)*12, 12)
		return uint8(255 * (lightness - spread*max(-1, min(k-3, 9-k, 1))))
	}
	return color.RGBA{channel(0), channel(8), channel(4), 255}
}

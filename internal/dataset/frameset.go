package dataset

import "github.com/RoaringBitmap/roaring/v2"

// FrameSet is a set of frames. It needs about two bytes a frame.
type FrameSet map[Episode]*roaring.Bitmap

// number returns the frame's timecode as one number. Index is not unique: a name with a frame
// number over FPS-1 has the Index of another name.
func (f Frame) number() uint32 {
	return uint32(((f.two(15)*100+f.two(18))*100+f.two(21))*100 + f.two(24))
}

// Add adds a frame, and reports whether it is new.
func (s FrameSet) Add(f Frame) bool {
	e := f.Episode()
	if s[e] == nil {
		s[e] = roaring.New()
	}
	return s[e].CheckedAdd(f.number())
}

// Has reports whether the frame is in the set.
func (s FrameSet) Has(f Frame) bool {
	of := s[f.Episode()]
	return of != nil && of.Contains(f.number())
}

// Len is the number of frames.
func (s FrameSet) Len() int {
	n := uint64(0)
	for _, of := range s {
		n += of.GetCardinality()
	}
	return int(n)
}

// Common is the number of frames that are in both.
func (s FrameSet) Common(o FrameSet) int {
	n := uint64(0)
	for e, of := range s {
		if o[e] != nil {
			n += of.AndCardinality(o[e])
		}
	}
	return int(n)
}

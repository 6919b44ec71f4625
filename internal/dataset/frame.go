// Package dataset has the names of this domain (frame, episode, dataset, class) and their keys in
// the bucket. Everything except the listings is pure functions.
package dataset

import (
	"fmt"
	"strconv"
	"strings"
)

// FPS is the frame rate of the series: the last number of a frame's name counts from 0 to FPS-1.
const FPS = 24

// Frame is the name of one frame, TT_S01_E01_FRM-00-00-08-12: season, episode, then hour, minute,
// second and frame within the second. It has only plain characters, so a Frame is safe in a key, a
// path and a page.
type Frame string

const (
	frameShape = "TT_S00_E00_FRM-00-00-00-00"
	frameExt   = ".jpg"
)

// ParseFrame parses a frame's name, in its exact spelling.
func ParseFrame(s string) (Frame, error) {
	if len(s) != len(frameShape) {
		return "", fmt.Errorf("frame name is not of the form TT_S01_E01_FRM-00-00-08-12")
	}
	for i := range len(s) {
		if frameShape[i] == '0' {
			if s[i] < '0' || s[i] > '9' {
				return "", fmt.Errorf("frame name is not of the form TT_S01_E01_FRM-00-00-08-12")
			}
		} else if s[i] != frameShape[i] {
			return "", fmt.Errorf("frame name is not of the form TT_S01_E01_FRM-00-00-08-12")
		}
	}
	f := Frame(s)
	if f.two(18) > 59 || f.two(21) > 59 {
		return "", fmt.Errorf("frame name has a minute or second over 59")
	}
	return f, nil
}

// two parses the two digits at i.
func (f Frame) two(i int) int { return int(f[i]-'0')*10 + int(f[i+1]-'0') }

// Episode returns the episode in the frame's name.
func (f Frame) Episode() Episode { return Episode(string(f[3:6]) + string(f[7:10])) }

// Second returns the frame's time in whole seconds from the episode's start.
func (f Frame) Second() int { return f.two(15)*3600 + f.two(18)*60 + f.two(21) }

// Index returns the frame's number in the episode, at FPS frames a second.
func (f Frame) Index() int { return f.Second()*FPS + f.two(24) }

// Timecode is hours, minutes, seconds and frame, as editors write them: 00:00:08:12.
func (f Frame) Timecode() string { return strings.ReplaceAll(string(f[15:]), "-", ":") }

// File is the frame's file name.
func (f Frame) File() string { return string(f) + frameExt }

// FrameAt returns the frame of the episode with this Index.
func FrameAt(e Episode, index int) Frame {
	sec := index / FPS
	return Frame(fmt.Sprintf("TT_%s_%s_FRM-%02d-%02d-%02d-%02d", e[:3], e[3:], sec/3600, sec/60%60, sec%60, index%FPS))
}

// frameOf parses a file name as a frame's.
func frameOf(file string) (Frame, bool) {
	if len(file) != len(frameShape)+len(frameExt) || file[len(frameShape):] != frameExt {
		return "", false
	}
	f, err := ParseFrame(file[:len(frameShape)])
	return f, err == nil
}

// Episode is the code of a season and an episode together, S01E01, as in reports and flags.
type Episode string

// ParseEpisode parses the two codes of a manifest, in any case: "s01", "E1".
func ParseEpisode(season, episode string) (Episode, error) {
	s, err := code('S', season)
	if err != nil {
		return "", fmt.Errorf("season code %.20q: expected the form S01", season)
	}
	e, err := code('E', episode)
	if err != nil {
		return "", fmt.Errorf("episode code %.20q: expected the form E01", episode)
	}
	return Episode(fmt.Sprintf("S%02dE%02d", s, e)), nil
}

// ParseEpisodeFlag parses S01E01 in any case.
func ParseEpisodeFlag(s string) (Episode, error) {
	for i := 1; i < len(s); i++ {
		if s[i] == 'E' || s[i] == 'e' {
			return ParseEpisode(s[:i], s[i:])
		}
	}
	return "", fmt.Errorf("episode %.20q: expected the form S01E01", s)
}

// ParseSeason parses a season's code in any case, and returns it as S01.
func ParseSeason(s string) (string, error) {
	n, err := code('S', s)
	if err != nil {
		return "", fmt.Errorf("season %.20q: expected the form S01", s)
	}
	return fmt.Sprintf("S%02d", n), nil
}

// code parses a letter, in upper or lower case, and a number from 0 to 99.
func code(letter byte, s string) (int, error) {
	if len(s) < 2 || len(s) > 3 || s[0]&^0x20 != letter {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(s[1:], 10, 8)
	return int(n), err
}

// Season is the episode's season, S01.
func (e Episode) Season() string { return string(e[:3]) }

// Code is the episode's code within its season, E01.
func (e Episode) Code() string { return string(e[3:]) }

// Folder is the episode's folder in the bucket, s01e01.
func (e Episode) Folder() string { return "s" + string(e[1:3]) + "e" + string(e[4:6]) }

// FramePrefix is what the file names of the episode's frames start with.
func (e Episode) FramePrefix() string { return "TT_" + e.Season() + "_" + e.Code() + "_" }

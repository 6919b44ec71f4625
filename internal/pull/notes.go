package pull

import (
	"bufio"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"sync"
)

// note is a downloaded file whose ETag is not an MD5, with the MD5 of its content.
type note struct {
	File string `json:"file"`
	ETag string `json:"etag"`
	MD5  string `json:"md5"`
}

// notes are in a file that is only appended to, so that a killed pull loses at most the last one.
type notes struct {
	mu   sync.Mutex
	seed maphash.Seed
	all  map[uint64]struct{} // hashes of the notes: in a bucket with KMS there is one for every file
	file *os.File
}

func (n *notes) open(root *os.Root) error {
	n.seed, n.all = maphash.MakeSeed(), map[uint64]struct{}{}
	var err error
	if n.file, err = root.OpenFile(noteFile, os.O_RDWR|os.O_CREATE|os.O_APPEND, fileMode); err != nil {
		return err
	}
	lines := bufio.NewReader(n.file)
	for {
		line, err := lines.ReadSlice('\n')
		var one note
		// An incomplete line only costs the download of one file again.
		if json.Unmarshal(line, &one) == nil {
			n.all[maphash.Comparable(n.seed, one)] = struct{}{}
		}
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0:
			_, err = n.file.WriteString("\n")
			return err
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

func (n *notes) has(one note) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.all[maphash.Comparable(n.seed, one)]
	return ok
}

func (n *notes) add(one note) error {
	line, err := json.Marshal(one)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all[maphash.Comparable(n.seed, one)] = struct{}{}
	_, err = n.file.Write(append(line, '\n'))
	return err
}

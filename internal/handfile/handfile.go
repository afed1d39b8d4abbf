// Package handfile reads small files that people, and what mounts files for them, change while the service runs.
//
// It promises that no file is waited for without an end or read without a bound, and that half a file that is still being
// written is not taken for a new one. It refuses to know what stands in a file.
package handfile

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Read returns what a file of at most so many bytes holds. Its errors about a file that cannot be opened or read are the
// system's, with its name.
func Read(name string, most int64) ([]byte, error) {
	// Opening a pipe may wait without an end.
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil, errors.New("is a pipe or a device, not a file")
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("the file is larger than %d KiB", most>>10)
	}
	return content, err
}

// Sum stands for what files hold, or for why they cannot be read.
type Sum [32]byte

// Looks compares what is found each time that files are looked at. What counts is what they hold, not a time stamp, so that a
// file that is mounted and swapped is seen too; and that two looks in a row find the same: the first half of a file may look
// like a whole one. It is for one goroutine at a time.
type Looks struct{ known, latest Sum }

// Begin is for what was found at the start, which counts at once.
func (l *Looks) Begin(found Sum) { l.known, l.latest = found, found }

// Changed notes what a look has found, and reports whether that counts as new. It does once.
func (l *Looks) Changed(found Sum) bool {
	settled := found == l.latest
	l.latest = found
	if found == l.known || !settled {
		return false
	}
	l.known = found
	return true
}

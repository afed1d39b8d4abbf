package sandbox

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"sync"
)

// The floods: answers far larger than anything a client should take in. They are
// legal JSON, the true answer with white space after its first byte, so that only
// a limit of the client's own ends them.

const floodBlock = 1 << 20 // bytes that are sent, or unpacked, at a time

var blanks = sync.OnceValue(func() []byte { return bytes.Repeat([]byte{' '}, floodBlock) })

// packedBlanks is a block as a gzip member of its own, about a thousandth of its
// size. Members that follow each other unpack as one text.
var packedBlanks = sync.OnceValue(func() []byte { return packed(blanks()) })

func packed(text []byte) []byte {
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	_, _ = w.Write(text) // a buffer takes everything
	_ = w.Close()
	return buffer.Bytes()
}

// hugeBody announces and streams it all.
func hugeBody(s *stage) {
	body := s.truly.body
	blocks := s.carrier.config.HugeBytes / floodBlock
	s.w.Header().Set("Content-Type", typeJSON)
	s.w.Header().Set("Content-Length", strconv.FormatInt(blocks*floodBlock+int64(len(body)), 10))
	s.w.WriteHeader(s.truly.status)
	s.flood(body, blocks, blanks(), func(text []byte) []byte { return text })
}

// gzipBomb packs the same into a thousandth of the bytes.
func gzipBomb(s *stage) {
	s.w.Header().Set("Content-Type", typeJSON)
	s.w.Header().Set("Content-Encoding", "gzip")
	s.w.WriteHeader(s.truly.status)
	s.flood(s.truly.body, s.carrier.config.HugeBytes/floodBlock, packedBlanks(), packed)
}

func (s *stage) flood(body []byte, blocks int64, block []byte, pack func([]byte) []byte) {
	first := min(1, len(body))
	if !s.write(pack(body[:first])) {
		return
	}
	for range blocks {
		if !s.write(block) {
			return
		}
	}
	s.write(pack(body[first:]))
}

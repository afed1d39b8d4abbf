// Package nanp reads and writes telephone numbers of the North American plan.
//
// It promises that what it reads has exactly ten digits in the structure NXX-NXX-XXXX, and that the toll-free area codes
// stand in one place. It refuses to know which ranges are assigned: that metadata ages into false refusals.
package nanp

import (
	"strconv"
	"strings"
)

// Number is a telephone number: its ten digits NPA-NXX-XXXX as an integer, which is how the carrier writes them. The zero
// value is no number. Numbers compare with ==.
type Number int64

const (
	// maxWritten bounds what is read as one number; "tel:+1 (416) - 555 - 0123" has 25 bytes.
	maxWritten = 40
	// separators may stand between digits, as people write them.
	separators = " .-"
)

// Parse reads a telephone number as people write North American ones ("416-555-0123", "(416) 555-0123",
// "+1 416.555.0123", "tel:+14165550123"). It refuses what does not have the structure of such a number, and what Flaw
// finds. Digits that are not ASCII, extensions and letters are not read.
func Parse(written string) (Number, bool) {
	n, ok := Read(written)
	if !ok || n.Flaw() != "" {
		return 0, false
	}
	return n, true
}

// Read reads the ten digits of what people write, also of a number that Flaw finds fault with. It reads nothing whose area
// code or exchange is not NXX (N from 2 to 9): nine digits behind a 1 must not pass for ten.
func Read(written string) (Number, bool) {
	s := strings.Trim(written, " ")
	if len(s) > maxWritten {
		return 0, false
	}
	if len(s) > 4 && strings.EqualFold(s[:4], "tel:") {
		s = s[4:]
	}
	s, international := strings.CutPrefix(s, "+")
	if rest, ok := strings.CutPrefix(s, "1"); ok {
		s = strings.TrimLeft(rest, separators)
	} else if international {
		return 0, false
	}
	s, opened := strings.CutPrefix(s, "(")
	var digits, count int64
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			count++
			if count > 10 || (opened && count == 4) {
				return 0, false
			}
			digits = 10*digits + int64(c-'0')
		case c == ')' && opened && count == 3:
			opened = false
		case strings.IndexByte(separators, c) < 0 || count == 0 || count == 10:
			return 0, false
		}
	}
	n := Number(digits)
	return n, count == 10 && n.areaCode() >= 200 && n.exchange() >= 200
}

// E164 writes the number as every answer has it: "+14165550123".
func (n Number) E164() string {
	return "+1" + n.Digits()
}

// Digits are the ten digits as a text.
func (n Number) Digits() string {
	return strconv.FormatInt(int64(n), 10)
}

func (n Number) areaCode() int {
	return int(n / 1e7)
}

func (n Number) exchange() int {
	return int(n / 1e4 % 1e3)
}

// Want is what a violation says about anything that is not read.
const Want = "is not a North American telephone number; want ten digits NXX-NXX-XXXX with N from 2 to 9, " +
	"for example +14165550123"

// Flaw says what is wrong with the number's structure, and nothing for a right one. N11 exchanges are service codes:
// geographic area codes have none of them, toll-free ones only lack 911.
func (n Number) Flaw() string {
	switch {
	case n.TollFree() && n.exchange() == 911:
		return "is not a toll-free number that exists; the exchange 911 is none"
	case !n.TollFree() && n.exchange()%100 == 11:
		return "is not a telephone number that exists; an exchange such as 411 or 911 is a service code"
	}
	return ""
}

// areaCodeKind is what an area code is, as far as its digits say.
type areaCodeKind uint8

const (
	geographic areaCodeKind = iota
	unassigned
	tollFreeInService
	tollFreeReserved
)

// kindOfAreaCode is the one place that knows the toll-free area codes. 811 and 899 look like one and are none. N11 are
// service codes and N9X are kept for the day when the plan grows, so no number has them yet.
func kindOfAreaCode(npa int) areaCodeKind {
	switch npa {
	case 800, 833, 844, 855, 866, 877, 888:
		return tollFreeInService
	case 822, 880, 881, 882, 883, 884, 885, 886, 887, 889:
		return tollFreeReserved
	}
	if npa%100 == 11 || npa/10%10 == 9 {
		return unassigned
	}
	return geographic
}

// TollFree reports whether the number is a toll-free one, in service or reserved.
func (n Number) TollFree() bool {
	kind := kindOfAreaCode(n.areaCode())
	return kind == tollFreeInService || kind == tollFreeReserved
}

// Doubt says why the number may be none that is in service, and nothing when there is no doubt.
func (n Number) Doubt() string {
	switch kindOfAreaCode(n.areaCode()) {
	case unassigned:
		return "the area code is not assigned as far as this version knows"
	case tollFreeReserved:
		return "the toll-free area code is reserved and not in service as far as this version knows"
	case tollFreeInService:
		if n.areaCode() != 800 && n.exchange() == 555 {
			return "the exchange 555 is reserved in every toll-free area code but 800"
		}
	case geographic:
	}
	return ""
}

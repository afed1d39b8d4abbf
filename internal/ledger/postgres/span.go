package postgres

import "slices"

// An index finds what was updated in a range, or what was created last, but not both: "updated this week, newest first" would
// read the week, or pass by all that was not updated in it. So there are indexes over spans of update time, of several
// widths, each in the order of creation. A range is cut into a few spans, wide ones inside and narrow ones at its ends, and
// a page is merged from the newest orders of each; what that costs does not depend on how many orders there are.

// widths are the widths of spans, as powers of two in microseconds: 67 s, 36 min, 19 h, 25 days. Each has an index.
var widths = [...]int{26, 31, 36, 41}

// run is a row of neighbouring spans of one width: those whose number, the time shifted right by the width, is from first
// up to but not including before. One of width 0 is no more than a range, at an end where no span fits.
type run struct {
	width         int
	first, before int64
}

// reach is a range of update times, in microseconds. The second end is not in it.
type reach struct{ from, before int64 }

// widen moves the ends of a range, beyond which there is nothing, to ends of widest spans.
func (r reach) widen(least, most int64) reach {
	widest := widths[len(widths)-1]
	if r.from <= least {
		r.from = least >> widest << widest
	}
	if r.before > most {
		r.before = (most>>widest + 1) << widest
	}
	return r
}

// cut cuts a range into runs, the latest first.
func (r reach) cut() []run {
	var late, early []run // From the ends inwards.
	inner := run{0, r.from, r.before}
	for _, width := range widths {
		// What lies inside, between ends of these wider spans, is left to them.
		step := width - inner.width
		first, before := (inner.first-1)>>step+1, inner.before>>step
		if first >= before {
			break
		}
		late = append(late, run{inner.width, before << step, inner.before})
		early = append(early, run{inner.width, inner.first, first << step})
		inner = run{width, first, before}
	}
	slices.Reverse(early)
	all := slices.Concat(late, []run{inner}, early)
	return slices.DeleteFunc(all, func(r run) bool { return r.first >= r.before })
}

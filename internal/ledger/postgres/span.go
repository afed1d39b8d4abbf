package postgres

// An index finds what was updated in a range, or what was created last, but not both: "updated this week, newest first" would
// read the week, or pass by all that was not updated in it. So there are indexes over spans of update time, of several
// widths, each in the order of creation. A range is cut into a few spans, wide ones inside and narrow ones at its ends, and
// a page is merged from the newest orders of each; what that costs does not depend on how many orders there are.

// widths are the widths of spans, as powers of two in microseconds: 67 s, 36 min, 19 h, 25 days. Each has an index.
var widths = [...]int{26, 31, 36, 41}

// run is a row of neighbouring spans of one width: those whose number, the time shifted right by the width, is from first
// up to but not including before.
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

// cut cuts a range into spans, with what is left at its ends.
func (r reach) cut() (runs []run, ends []reach) {
	narrowest := widths[0]
	first, before := (r.from-1)>>narrowest+1, r.before>>narrowest
	if first >= before {
		return nil, []reach{r}
	}
	ends = present(ends, reach{r.from, first << narrowest})
	ends = present(ends, reach{before << narrowest, r.before})
	for i, width := range widths {
		if i == len(widths)-1 {
			return append(runs, run{width, first, before}), ends
		}
		// What is wider than a span of this width, inside, is left to the next.
		step := widths[i+1] - width
		nextFirst, nextBefore := (first-1)>>step+1, before>>step
		if nextFirst >= nextBefore {
			return append(runs, run{width, first, before}), ends
		}
		runs = append(runs, run{width, first, nextFirst << step}, run{width, nextBefore << step, before})
		first, before = nextFirst, nextBefore
	}
	return runs, ends
}

// present appends a range that is not empty.
func present(all []reach, r reach) []reach {
	if r.from < r.before {
		return append(all, r)
	}
	return all
}

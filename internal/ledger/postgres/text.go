package postgres

import (
	"strings"
	"time"
)

// clean makes a text one that PostgreSQL takes: UTF-8 without NUL. A place that is not is marked by U+FFFD, the sign for
// just that, so that no order is lost for what a stranger wrote. Whoever looks for a text looks for the clean one.
func clean[T ~string](text T) T {
	return T(strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\x00", "\uFFFD"))
}

// cleanAll is clean for a list, in a copy; nil for an empty one.
func cleanAll[T ~string](texts []T) []T {
	var all []T
	for _, t := range texts {
		all = append(all, clean(t))
	}
	return all
}

// micros is a time at rest: microseconds since 1970, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is a time that was at rest.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// bound is micros for one end of a range. What is at rest was cut: a bound that is not on a whole microsecond lies above
// all that was cut to it.
func bound(t time.Time) int64 {
	if cut := t.Truncate(time.Microsecond); cut.Before(t) {
		return cut.UnixMicro() + 1
	}
	return t.UnixMicro()
}

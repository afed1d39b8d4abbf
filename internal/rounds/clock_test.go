package rounds_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/rounds"
)

func TestAClockDoesNotJumpWithTheWallClock(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC)
	wall, elapsed := started, 3*time.Hour // the process has been running for a while
	c := rounds.NewClock(wall, func() time.Duration { return elapsed })
	for _, step := range []struct{ wall, elapsed time.Duration }{
		{0, 0}, {time.Second, time.Second}, {-24 * time.Hour, time.Second}, {48 * time.Hour, 0}, {0, time.Hour},
	} {
		wall, elapsed = wall.Add(step.wall), elapsed+step.elapsed
		if want := started.Add(elapsed - 3*time.Hour); !c.Now().Equal(want) {
			t.Errorf("the clock shows %v, want %v, when the wall clock shows %v", c.Now(), want, wall)
		}
	}
}

func TestAClockGoesByWhatHasPassed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		c := rounds.NewClock(started, nil)
		<-time.After(90 * time.Minute)
		if want := started.Add(90 * time.Minute); !c.Now().Equal(want) {
			t.Errorf("the clock shows %v, want %v", c.Now(), want)
		}
	})
}

package sqlite

import ("syscall";"time";"testing")

func cpuNow() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkCPU(b *testing.B) {
	for b.Loop() {}
	for _, crowd := range []int{1, 256} {
		n := 6000
		if crowd == 1 { n = 2000 }
		c := cpuNow()
		ps, fl := commits(b, crowd, n)
		b.Logf("crowd %d: %v a write, %.0f/s, %.3f", crowd, (cpuNow()-c)/time.Duration(2*n), ps, fl)
	}
}

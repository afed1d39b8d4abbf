package sandbox

// nanp reports whether n has the structure of a telephone number of the North
// American plan: ten digits, area code and exchange from 200 up, no N11 area
// code. An N11 exchange is refused for geographic numbers; of the toll-free ones
// only 911 is.
func nanp(n int64) bool {
	if n < 2_000_000_000 || n > 9_999_999_999 {
		return false
	}
	npa, nxx := n/10_000_000, n/10_000%1000
	if nxx < 200 || npa%100 == 11 {
		return false
	}
	if tollFree(n) {
		return nxx != 911
	}
	return nxx%100 != 11
}

// tollFree reports whether a ten-digit number has a toll-free area code, in
// service or reserved for it.
func tollFree(n int64) bool {
	switch npa := n / 10_000_000; npa {
	case 800, 822, 833, 844, 855, 866, 877, 888, 889:
		return true
	default:
		return npa >= 880 && npa <= 887
	}
}

// reservedDigits are the last two digits of a number that selects an outcome or
// a scenario: exchange 555, line 0150 to 0199, any area code. Otherwise 0.
func reservedDigits(n int64) int {
	if line := n % 10_000_000; line >= 555_0150 && line <= 555_0199 {
		return int(line % 100)
	}
	return 0
}

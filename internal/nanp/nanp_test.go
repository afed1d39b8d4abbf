package nanp

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const want Number = 4165550123
	for _, written := range []string{
		"4165550123", "14165550123", "+14165550123", "416-555-0123", "416.555.0123", "416 555 0123", "(416) 555-0123",
		"(416)555-0123", "+1 416 555 0123", "+1 (416) 555-0123", "1-416-555-0123", "1 (416) - 555 - 0123", "tel:+14165550123",
		"TEL:416-555-0123", " 416-555-0123 ", "1.416.555.0123",
	} {
		if got, ok := Parse(written); got != want || !ok {
			t.Errorf("Parse(%q) = %d, %t, want %d", written, got, ok, want)
		}
	}
	for _, written := range []string{
		"", " ", "+", "1", "tel:", "416555012", "41655501234", "24165550123", "+24165550123", "+4165550123", "0114165550123",
		"1165550123", "0165550123", "4160550123", "4161550123", "416-555-012a", "416-555-0123x7", "416-555-0123;ext=7",
		"416/555/0123", "(416 555-0123", "416) 555-0123", "((416)) 555-0123", "(4165) 55-0123", "(41) 65550123", "416-555-0123-",
		"-416-555-0123", "416\t555 0123", "416\u00a0555\u00a00123", "٤١٦٥٥٥٠١٢٣", "４１６５５５０１２３", "416-555-01\u202e23",
		"+1+14165550123", "416,555,0123", "4.165550123e9", "4165550123\x00", "\n4165550123",
		"4" + strings.Repeat(" ", 40) + "165550123",
		"4114110123", // an exchange that is a service code
		"4169110123",
		"8009110123", // the one that toll-free numbers lack
	} {
		if got, ok := Parse(written); ok || got != 0 {
			t.Errorf("Parse(%q) = %d, %t, want nothing", written, got, ok)
		}
	}
}

func TestE164(t *testing.T) {
	t.Parallel()
	if got := Number(4165550123).E164(); got != "+14165550123" {
		t.Errorf("E164 = %q", got)
	}
}

func TestAreaCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		number   string
		tollFree bool
		flaw     bool
		doubt    string // a part of it
	}{
		{number: "8002340123", tollFree: true},
		{number: "8332340123", tollFree: true},
		{number: "8442340123", tollFree: true},
		{number: "8552340123", tollFree: true},
		{number: "8662340123", tollFree: true},
		{number: "8772340123", tollFree: true},
		{number: "8882340123", tollFree: true},
		{number: "8222340123", tollFree: true, doubt: "reserved"},
		{number: "8802340123", tollFree: true, doubt: "reserved"},
		{number: "8812340123", tollFree: true, doubt: "reserved"},
		{number: "8822340123", tollFree: true, doubt: "reserved"},
		{number: "8832340123", tollFree: true, doubt: "reserved"},
		{number: "8842340123", tollFree: true, doubt: "reserved"},
		{number: "8852340123", tollFree: true, doubt: "reserved"},
		{number: "8862340123", tollFree: true, doubt: "reserved"},
		{number: "8872340123", tollFree: true, doubt: "reserved"},
		{number: "8892340123", tollFree: true, doubt: "reserved"},
		{number: "8112340123", doubt: "not assigned"}, // looks toll-free and is not
		{number: "8992340123", doubt: "not assigned"},
		{number: "2902340123", doubt: "not assigned"},
		{number: "2992340123", doubt: "not assigned"},
		{number: "9002340123"},
		{number: "4162340123"},
		{number: "2002000123"}, // the first of both
		{number: "2002340123"}, // an area code that nobody has yet: they grow
		{number: "8102340123"},
		{number: "8005550123", tollFree: true},
		{number: "8885550123", tollFree: true, doubt: "exchange 555"},
		{number: "8222110123", tollFree: true, doubt: "reserved"},
		{number: "8004110123", tollFree: true},
		{number: "8009110123", tollFree: true, flaw: true},
		{number: "4162110123", flaw: true},
		{number: "4169110123", flaw: true},
		{number: "4169120123"},
	}
	for _, tt := range tests {
		n, ok := Read(tt.number)
		if !ok {
			t.Errorf("%s is not read", tt.number)
			continue
		}
		if n.TollFree() != tt.tollFree {
			t.Errorf("%s: toll-free is %t", tt.number, n.TollFree())
		}
		if (n.Flaw() != "") != tt.flaw {
			t.Errorf("%s: flaw is %q", tt.number, n.Flaw())
		}
		if got := n.Doubt(); (got == "") != (tt.doubt == "") || !strings.Contains(got, tt.doubt) {
			t.Errorf("%s: doubt is %q, want %q", tt.number, got, tt.doubt)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"4165550123", "+1 (416) 555-0123", "tel:1.800.555.0199", "(416 5550123", "٤١٦٥٥٥٠١٢٣", "416-555-0123 "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		n, ok := Read(written)
		if !ok {
			return
		}
		// What is read has these ten digits, with nothing but a country code before them.
		var digits strings.Builder
		for _, c := range written {
			if c >= '0' && c <= '9' {
				digits.WriteRune(c)
			}
		}
		if got := digits.String(); got != n.Digits() && got != "1"+n.Digits() {
			t.Errorf("%q was read as %d", written, n)
		}
		if len(n.Digits()) != 10 || n.areaCode() < 200 || n.exchange() < 200 {
			t.Errorf("%q was read as %d, which has no NXX-NXX-XXXX", written, n)
		}
		again, ok := Read(n.E164())
		if !ok || again != n {
			t.Errorf("%q is written %q, which reads as %d, %t", written, n.E164(), again, ok)
		}
	})
}

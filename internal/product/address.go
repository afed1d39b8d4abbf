package product

import (
	"strings"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// Where the rules of the address report.
const (
	countryField    = "order.form.service_address.country"
	provinceField   = "order.form.service_address.province"
	postalCodeField = "order.form.service_address.postal_code"
)

// provinces are the provinces and territories of Canada, each with the first letters of its postal codes.
var provinces = map[string]string{
	"AB": "T", "BC": "V", "MB": "R", "NB": "E", "NL": "A", "NS": "B", "NT": "X", "NU": "X", "ON": "KLMNP", "PE": "C",
	"QC": "GHJ", "SK": "S", "YT": "Y",
}

// states are the states and territories as the United States Postal Service abbreviates them; none of them is a province.
var states = setOf("AL AK AS AZ AR CA CO CT DE DC FM FL GA GU HI ID IL IN IA KS KY LA ME MH MD MA MI MN MS MO MT NE NV " + //nolint:gochecknoglobals // a table
	"NH NJ NM NY NC ND MP OH OK OR PW PA PR RI SC SD TN TX UT VT VI VA WA WV WI WY AA AE AP")

// setOf makes a table of words that would take fifty lines as a literal.
func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

// address reports a country, province or postal code that is none, and those that do not belong together. The losing
// carrier compares all three with its own records weeks later; what can be found now saves a rejected order.
func (r *report) address(a *portinv1.ServiceAddress) {
	province, code := a.GetProvince(), a.GetPostalCode()
	_, isProvince := provinces[province]
	switch a.GetCountry() {
	case "CA":
		if states[province] {
			r.add(at(provinceField), "is a state of the United States, but the country is CA; want a province such as ON")
		} else if !isProvince {
			r.add(at(provinceField), "is not a province or territory of Canada; want its two letters such as ON")
		}
		if !isPostalCode(code) {
			r.add(at(postalCodeField), "is not a Canadian postal code; want one such as M5H 2N2")
		}
	case "US":
		if isProvince {
			r.add(at(provinceField), "is a Canadian province, but the country is US; want a state such as NY")
		} else if !states[province] {
			r.add(at(provinceField), "is not a state of the United States; want its two letters such as NY")
		}
		if !isZIPCode(code) {
			r.add(at(postalCodeField), "is not a ZIP code; want five digits, or nine such as 10001-1234")
		}
	default:
		// The country decides what the other two must be. Without one they may be of either.
		r.add(at(countryField), "must be CA or US")
		if !isProvince && !states[province] {
			r.add(at(provinceField), "is neither a province of Canada nor a state of the United States; want two letters")
		}
		if !isPostalCode(code) && !isZIPCode(code) {
			r.add(at(postalCodeField), "is neither a Canadian postal code nor a ZIP code")
		}
	}
}

// isPostalCode knows the letters that Canada Post never uses: D, F, I, O, Q and U nowhere, W and Z not in front.
func isPostalCode(code string) bool {
	return hasShape(code, "A9A 9A9") && !strings.ContainsAny(code, "DFIOQU") && code[0] != 'W' && code[0] != 'Z'
}

// isZIPCode takes five digits or ZIP+4, as Normalize writes it.
func isZIPCode(code string) bool {
	return hasShape(code, "99999") || hasShape(code, "99999-9999")
}

// postalCodeDoubt says that a postal code belongs to another province by its first letter. That is only a doubt: a few
// places are served from over the border. It has nothing to say on what address refuses.
func postalCodeDoubt(a *portinv1.ServiceAddress) string {
	letters, isProvince := provinces[a.GetProvince()]
	code := a.GetPostalCode()
	if a.GetCountry() != "CA" || !isProvince || !isPostalCode(code) || strings.Contains(letters, code[:1]) {
		return ""
	}
	return "belongs to another province or territory by its first letter; check both against the losing carrier's records"
}

package product

import (
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/nanp"
)

// Facts are what Review needs to know beside the order.
type Facts struct {
	// Now is the time of the request.
	Now time.Time
	// Holidays are the days on which the carrier does not port, as it says, in no order. Beyond the last of them the
	// federal holidays of Canada stand in; none at all is the list of a carrier that could not be asked.
	Holidays []Day
	// MinLeadBusinessDays is how many business days a port takes at least. A date sooner than that is a warning. The
	// regulated interval between carriers is two (CRTC 2005-72); the carrier's own is not known.
	MinLeadBusinessDays int
}

// maxWarnings bounds what an order carries with it for good.
const maxWarnings = 100

// doubts collects what is not certain enough to refuse an order.
type doubts struct {
	warnings []*portinv1.Warning
}

// add keeps the first maxWarnings doubts.
func (d *doubts) add(at place, code portinv1.WarningCode, description string) {
	if len(d.warnings) < maxWarnings {
		d.warnings = append(d.warnings, &portinv1.Warning{Field: at.String(), Code: code, Description: description})
	}
}

// ambiguous doubts fields that contradict each other or leave open what happens.
func (d *doubts) ambiguous(at place, description string) {
	d.add(at, portinv1.WarningCode_WARNING_CODE_AMBIGUOUS, description)
}

// Review lists what needs the time or the configuration to be decided about a normalised order: the rules that it
// breaks, and what is doubtful in it, both in the order of the contract. Descriptions never quote a value. It answers for
// an order that Validate refuses too, as far as that can be read.
func Review(o *portinv1.PortInOrder, facts Facts) ([]fault.Violation, []*portinv1.Warning) {
	var r report
	var d doubts
	spec, ok := Of(o)
	if f := o.GetForm(); f != nil {
		r.past(f, facts.Now)
		d.portTime(f, facts)
		d.form(f)
		if ok {
			d.documents(f, spec.TollFree)
		}
	}
	if ok {
		d.numbers(spec, o)
		if spec.doubts != nil {
			spec.doubts(o, &d)
		}
	}
	SortWarnings(d.warnings)
	return r.sorted(), d.warnings
}

// past reports a date that is over. A time that is over today is only short notice: clocks differ.
func (r *report) past(f *portinv1.PortForm, now time.Time) {
	if day, ok := parseDay(time.DateOnly, f.GetRequestedPortDate()); ok && day.before(DayOf(now)) {
		r.add(at(dateField), "is in the past on the Eastern calendar; want today or a later day")
	}
}

// portTime doubts a day on which nobody ports, short notice, and a time that the wall clock shows twice.
func (d *doubts) portTime(f *portinv1.PortForm, facts Facts) {
	day, ok := parseDay(time.DateOnly, f.GetRequestedPortDate())
	today := DayOf(facts.Now)
	// A day that is over is refused; there is no doubt about it.
	if !ok || day.before(today) {
		return
	}
	closed := closedDaysOf(facts.Holidays)
	if why := closed.why(day); why != "" {
		d.add(at(dateField), portinv1.WarningCode_WARNING_CODE_CLOSED_DAY, why+"; the carrier may not port on it")
	}
	if closed.businessDays(today, day, facts.MinLeadBusinessDays) < facts.MinLeadBusinessDays {
		d.add(at(dateField), portinv1.WarningCode_WARNING_CODE_SHORT_LEAD_TIME,
			"is sooner than carriers are known to port; the port may happen later")
	}
	if c, ok := parseClock(f.GetRequestedPortTime()); ok && c.comesTwice(day) {
		d.ambiguous(at(timeField), "comes twice on that day: Eastern clocks go back over it")
	}
}

// form doubts an address whose parts disagree, and a pilot or a circuit that is announced and not described.
func (d *doubts) form(f *portinv1.PortForm) {
	if doubt := postalCodeDoubt(f.GetServiceAddress()); doubt != "" {
		d.add(at(postalCodeField), portinv1.WarningCode_WARNING_CODE_POSTAL_CODE_PROVINCE, doubt)
	}
	if f.GetChangePilotNumber() && f.NewPilotNumber == nil {
		d.ambiguous(at("order.form.change_pilot_number"),
			"says that the pilot number changes, but not to which; name one of the numbers that remain as the new pilot")
	}
	if f.GetIsPriMegalink() && f.GetPriMegalinkCircuit() == "" {
		d.ambiguous(at("order.form.is_pri_megalink"), "says that a circuit is involved, but not which; give its number")
	}
}

// documents doubts an order without the papers that the losing carrier usually wants, and a file that is not what its
// type says.
func (d *doubts) documents(f *portinv1.PortForm, tollFree bool) {
	const missing = portinv1.WarningCode_WARNING_CODE_DOCUMENT_MISSING
	if tollFree && len(f.GetRespOrgForms()) == 0 {
		d.add(at(respOrgField), missing, "the losing carrier usually wants a RespOrg transfer form")
	}
	if !tollFree && len(f.GetLettersOfAuthorization()) == 0 {
		d.add(at(lettersField), missing, "the losing carrier usually wants a letter of authorization")
	}
	if len(f.GetLastInvoices()) == 0 {
		d.add(at(invoicesField), missing, "the losing carrier usually wants its latest invoice to the customer")
	}
	for _, file := range documents(f) {
		if doubt := documentDoubt(file.Document); doubt != "" && isMediaType(file.GetMimeType()) {
			d.add(entry(file.list, file.index, "mime_type"), portinv1.WarningCode_WARNING_CODE_DOCUMENT_TYPE, doubt)
		}
	}
}

// numbers doubts numbers of ranges that are not in service, forwards to numbers that forward themselves, and a toll-free
// number that points to a local one: when both are ported, the toll-free one goes first.
func (d *doubts) numbers(spec Spec, o *portinv1.PortInOrder) {
	phones := spec.phones(o)
	onCircle, forwards := map[place]bool{}, map[nanp.Number]bool{}
	for _, p := range circles(phones) {
		onCircle[p.at] = true
	}
	for _, p := range phones {
		if from, _, ok := p.forward(); ok {
			forwards[from] = true
		}
	}
	// Nearly every toll-free number points to a local one, so one warning an order says it.
	pointsToLocal := false
	for _, p := range append(phones, formPhones(o.GetForm())...) {
		n, ok := nanp.Read(*p.value)
		if !ok {
			continue
		}
		if doubt := n.Doubt(); doubt != "" {
			d.add(p.at, portinv1.WarningCode_WARNING_CODE_NUMBER_RANGE, doubt)
		}
		if p.from == nil {
			continue
		}
		if from, _ := nanp.Read(*p.from); p.role == forwarded && from != n && forwards[n] && !onCircle[p.at] {
			d.ambiguous(p.at, "is a number of this order that forwards its own calls")
		}
		if spec.TollFree && !n.TollFree() && !pointsToLocal {
			pointsToLocal = true
			d.add(p.at, portinv1.WarningCode_WARNING_CODE_PORT_SEQUENCE,
				"is a local number; if it is to be ported too, let the toll-free port complete first")
		}
	}
}

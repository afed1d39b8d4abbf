package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// The carrier's two forms. Members stand in the alphabetical order of its specification.

// wireForm are the members that both of the carrier's forms have. A pointer is a member that is only sent when the caller
// set it, and then also when it is 0, false or "".
type wireForm struct {
	AdditionalEmailAddresses    []string         `json:"AdditionalEmailAddresses,omitempty"`
	CommentsLosingCarrier       *string          `json:"CommentsLosingCarrier,omitempty"`
	CommentsPortTeam            *string          `json:"CommentsPortTeam,omitempty"`
	ContactMeBLIF               *bool            `json:"ContactMeBLIF,omitempty"`
	ContactMeScheduling         *bool            `json:"ContactMeScheduling,omitempty"`
	CurrentProvider             *int32           `json:"CurrentProvider,omitempty"`
	CurrentProviderNotMandatory *bool            `json:"CurrentProviderNotMandatory,omitempty"`
	CurrentReseller             *string          `json:"CurrentReseller,omitempty"`
	CustomerAccountNumber       string           `json:"CustomerAccountNumber"`
	CustomerCity                string           `json:"CustomerCity"`
	CustomerCountry             string           `json:"CustomerCountry"`
	CustomerFloor               *string          `json:"CustomerFloor,omitempty"`
	CustomerName                string           `json:"CustomerName"`
	CustomerPostalCode          string           `json:"CustomerPostalCode"`
	CustomerProvince            string           `json:"CustomerProvince"`
	CustomerReferenceNumber     *string          `json:"CustomerReferenceNumber,omitempty"`
	CustomerStreetDirection     *string          `json:"CustomerStreetDirection,omitempty"`
	CustomerStreetName          string           `json:"CustomerStreetName"`
	CustomerStreetNumber        string           `json:"CustomerStreetNumber"`
	CustomerStreetSuffix        *string          `json:"CustomerStreetSuffix,omitempty"` // of the number, not of the street
	CustomerStreetType          *string          `json:"CustomerStreetType,omitempty"`
	CustomerUnit                *string          `json:"CustomerUnit,omitempty"`
	EmailAddress                string           `json:"EmailAddress"`
	ExtraDetails                []wireKeyedValue `json:"ExtraDetails,omitempty"`
	FileBlifSpreadsheet         []wireFile       `json:"FileBlifSpreadsheet,omitempty"`
	FileLastInvoice             []wireFile       `json:"FileLastInvoice,omitempty"`
	NumbersToPort               []int64          `json:"NumbersToPort"` // never asked of the caller: the target has them
	RequestedPortDate           *string          `json:"RequestedPortDate,omitempty"`
	RequestedPortTime           *string          `json:"RequestedPortTime,omitempty"`
	SubmitterFirstName          *string          `json:"SubmitterFirstName,omitempty"`
	SubmitterLastName           *string          `json:"SubmitterLastName,omitempty"`
	SubmitterPhoneNumber        *int64           `json:"SubmitterPhoneNumber,omitempty"`
}

// wireRegularForm is the carrier's NumberPortOrderFormV2, for regular numbers: a losing carrier's account can be left in
// parts, with a pilot number and circuits of its own.
type wireRegularForm struct {
	wireForm
	ChangePilotNumber         *bool      `json:"ChangePilotNumber,omitempty"`
	FileLetterOfAuthorization []wireFile `json:"FileLetterOfAuthorization,omitempty"`
	IsPRIMegaLink             *bool      `json:"IsPRIMegaLink,omitempty"` // The carrier's capital L is in this member only.
	NewPilotNumber            *int64     `json:"NewPilotNumber,omitempty"`
	NumbersToDisconnect       []int64    `json:"NumbersToDisconnect,omitempty"`
	NumbersToRemain           []int64    `json:"NumbersToRemain,omitempty"`
	PRIMegalinkCircuit        *string    `json:"PRIMegalinkCircuit,omitempty"`
	PRIMegalinkRemainActive   *bool      `json:"PRIMegalinkRemainActive,omitempty"`
}

// wireTollFreeForm is the carrier's NumberPortTollFreeOrderFormV2. A toll-free number moves between RespOrgs (responsible
// organizations) as a whole: there is no pilot and nothing remains.
type wireTollFreeForm struct {
	wireForm
	FileRespOrgForm []wireFile `json:"FileRespOrgForm,omitempty"`
}

// wireKeyedValue is the carrier's KeyValueDetail.
type wireKeyedValue struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// regularForm writes the form of an order for regular numbers.
func (e *encoder) regularForm(f *portinv1.PortForm) wireRegularForm {
	return wireRegularForm{
		wireForm:                  e.form(f),
		ChangePilotNumber:         f.ChangePilotNumber,
		FileLetterOfAuthorization: e.filesOf(f.GetLettersOfAuthorization()),
		IsPRIMegaLink:             f.IsPriMegalink,
		NewPilotNumber:            e.numberIf(at("order.form.new_pilot_number"), f.NewPilotNumber),
		NumbersToDisconnect:       e.numbersIf(disconnectField, f.GetNumbersToDisconnect()),
		NumbersToRemain:           e.numbersIf(remainField, f.GetNumbersToRemain()),
		PRIMegalinkCircuit:        f.PriMegalinkCircuit,
		PRIMegalinkRemainActive:   f.PriMegalinkRemainActive,
	}
}

// tollFreeForm writes the form of an order for toll-free numbers. Validate refuses what it has no member for.
func (e *encoder) tollFreeForm(f *portinv1.PortForm) wireTollFreeForm {
	return wireTollFreeForm{wireForm: e.form(f), FileRespOrgForm: e.filesOf(f.GetRespOrgForms())}
}

// form writes the members of both forms. Optional fields are handed over as the pointers that they are: absent stays
// absent, and a set 0, false or "" stays set. The address, a message of its own here, lies flat on the wire.
func (e *encoder) form(f *portinv1.PortForm) wireForm {
	a := f.GetServiceAddress()
	if a == nil {
		e.fail(at("order.form.service_address"), "is not set")
		return wireForm{}
	}
	return wireForm{
		AdditionalEmailAddresses:    f.GetAdditionalEmailAddresses(),
		CommentsLosingCarrier:       f.CommentsLosingCarrier,
		CommentsPortTeam:            f.CommentsPortTeam,
		ContactMeBLIF:               f.ContactMeBlif,
		ContactMeScheduling:         f.ContactMeScheduling,
		CurrentProvider:             f.CurrentProviderId,
		CurrentProviderNotMandatory: f.CurrentProviderNotMandatory,
		CurrentReseller:             f.CurrentReseller,
		CustomerAccountNumber:       f.GetCustomerAccountNumber(),
		CustomerCity:                a.GetCity(),
		CustomerCountry:             a.GetCountry(),
		CustomerFloor:               a.Floor,
		CustomerName:                f.GetCustomerName(),
		CustomerPostalCode:          a.GetPostalCode(),
		CustomerProvince:            a.GetProvince(),
		CustomerReferenceNumber:     f.CustomerReference,
		CustomerStreetDirection:     a.StreetDirection,
		CustomerStreetName:          a.GetStreetName(),
		CustomerStreetNumber:        a.GetStreetNumber(),
		CustomerStreetSuffix:        a.StreetNumberSuffix,
		CustomerStreetType:          a.StreetType,
		CustomerUnit:                a.Unit,
		EmailAddress:                f.GetEmailAddress(),
		ExtraDetails: shapes(f.GetExtraDetails(), func(d *portinv1.ExtraDetail) wireKeyedValue {
			return wireKeyedValue{Key: d.GetKey(), Value: d.GetValue()}
		}),
		FileBlifSpreadsheet:  e.filesOf(f.GetBlifSpreadsheets()),
		FileLastInvoice:      e.filesOf(f.GetLastInvoices()),
		NumbersToPort:        e.toPort,
		RequestedPortDate:    f.RequestedPortDate,
		RequestedPortTime:    f.RequestedPortTime,
		SubmitterFirstName:   f.SubmitterFirstName,
		SubmitterLastName:    f.SubmitterLastName,
		SubmitterPhoneNumber: e.numberIf(at("order.form.submitter_phone_number"), f.SubmitterPhoneNumber),
	}
}

package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"slices"
	"strings"
)

// telephoneMembers are the members that hold telephone numbers. Surecall and
// TranslatedNumber are not known to and are taken as they are.
var telephoneMembers = []string{
	"CallForwardingNumber", "CallerID", "ForwardingTN", "NewPilotNumber", "Number", "NumbersToDisconnect",
	"NumbersToPort", "NumbersToRemain", "PilotNumber", "SubmitterPhoneNumber", "TN",
}

// telephoneNumbers: every telephone number of the body has the structure of one.
func telephoneNumbers(o *order) error {
	return eachMember("", o.body, func(at, name string, value any) error {
		if !slices.Contains(telephoneMembers, name) {
			return nil
		}
		switch value := value.(type) {
		case json.Number:
			return telephoneNumber(at, value)
		case []any:
			for i, item := range value {
				if err := telephoneNumber(index(at, i), item); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func telephoneNumber(at string, value any) error {
	if !nanp(integerOf(value)) {
		return violate(at, "not a telephone number of ten digits (NANP)")
	}
	return nil
}

// documentsDecode: every file is standard base64, without line breaks, and has a
// MIME type. Files are recognised by their members, wherever they stand.
func documentsDecode(o *order) error {
	return eachMember("", o.body, func(at, name string, value any) error {
		text, _ := value.(string)
		switch name {
		case "Base64Contents":
			// The decoder would skip line breaks.
			decoder := base64.NewDecoder(base64.StdEncoding.Strict(), strings.NewReader(text))
			if _, err := io.Copy(io.Discard, decoder); err != nil || strings.ContainsAny(text, "\r\n") {
				return violate(at, "not standard base64")
			}
		case "ContentType":
			if kind, _, err := mime.ParseMediaType(text); err != nil || !strings.Contains(kind, "/") {
				return violate(at, "not a MIME type")
			}
		}
		return nil
	})
}

// eachMember visits every member of every object in value, outer ones first and
// in the order of their names, until visit returns an error.
func eachMember(at string, value any, visit func(at, name string, value any) error) error {
	switch value := value.(type) {
	case object:
		return eachMember(at, map[string]any(value), visit)
	case map[string]any:
		for _, name := range sortedKeys(value) {
			path := member(at, name)
			if err := visit(path, name, value[name]); err != nil {
				return err
			}
			if err := eachMember(path, value[name], visit); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range value {
			if err := eachMember(index(at, i), item, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

package product

import (
	"bytes"
	"mime"
	"strings"
	"unicode"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// document is one file of the form and where it stands.
type document struct {
	list  string
	index int
	*portinv1.Document
}

// The lists of documents, and how long the name of one may be.
const (
	lettersField     = "order.form.letters_of_authorization"
	invoicesField    = "order.form.last_invoices"
	blifField        = "order.form.blif_spreadsheets"
	respOrgField     = "order.form.resp_org_forms"
	maxFileNameBytes = 255
)

// documents lists every file of the form, in the order of the contract.
func documents(f *portinv1.PortForm) []document {
	var all []document
	add := func(list string, files []*portinv1.Document) {
		for i, d := range entries(files) {
			all = append(all, document{list, i, d})
		}
	}
	add(lettersField, f.GetLettersOfAuthorization())
	add(invoicesField, f.GetLastInvoices())
	add(blifField, f.GetBlifSpreadsheets())
	add(respOrgField, f.GetRespOrgForms())
	return all
}

// documents reports every file whose name could become a path, or whose type is none. The carrier's people open these
// files on machines of their own.
func (r *report) documents(f *portinv1.PortForm) {
	for _, d := range documents(f) {
		if flaw := fileNameFlaw(d.GetFileName()); flaw != "" {
			r.add(entry(d.list, d.index, "file_name"), flaw)
		}
		if !isMediaType(d.GetMimeType()) {
			r.add(entry(d.list, d.index, "mime_type"), "is not a MIME type; want one such as application/pdf")
		}
	}
}

// fileNameFlaw says why a name is not that of a file without a folder on anybody's machine. Control characters have a
// rule of their own.
func fileNameFlaw(name string) string {
	const want = "; want a plain file name such as letter.pdf"
	switch {
	case len(name) > maxFileNameBytes:
		return "is too long; want at most 255 bytes"
	case strings.ContainsAny(name, `/\`):
		return "has a path separator" + want
	case name != "" && strings.Trim(name, ".") == "":
		return "names a folder" + want
	case len(name) > 1 && name[1] == ':' && hasShape(upper(name[:1]), "A"):
		return "names a drive" + want // 12:30.pdf is a name; C:letter.pdf is a place.
	case strings.ContainsFunc(name, func(c rune) bool { return unicode.Is(unicode.Cf, c) }):
		// letter<RLO>fdp.exe shows as letterexe.pdf.
		return "has an invisible or direction-changing character" + want
	}
	return ""
}

// isMediaType reports whether s has the syntax type/subtype, with or without parameters. The carrier takes any.
func isMediaType(s string) bool {
	mediaType, _, err := mime.ParseMediaType(s)
	kind, subtype, ok := strings.Cut(mediaType, "/")
	return err == nil && ok && kind != "" && subtype != ""
}

// The usual types of documents and how their content begins. Office files are containers: the old ones OLE, the new
// ones ZIP.
const (
	oleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	zipMagic = "PK\x03\x04"
	isText   = ""
)

// usualTypes are the types that losing carriers are known to read.
var usualTypes = map[string][]string{
	"application/pdf":          {"%PDF-"},
	"image/tiff":               {"II*\x00", "MM\x00*"},
	"image/jpeg":               {"\xff\xd8\xff"},
	"image/png":                {"\x89PNG\r\n\x1a\n"},
	"application/msword":       {oleMagic},
	"application/vnd.ms-excel": {oleMagic},
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document": {zipMagic},
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":       {zipMagic},
	"text/csv":   {isText},
	"text/plain": {isText},
}

// documentDoubt says why a file may not be what its type says, and nothing when there is no doubt.
func documentDoubt(d *portinv1.Document) string {
	mediaType, _, _ := strings.Cut(d.GetMimeType(), ";")
	magics, usual := usualTypes[strings.TrimSpace(mediaType)]
	switch {
	case !usual:
		return "is not a usual type for a port-in; PDF, TIFF, JPEG, PNG, DOC, DOCX, XLS, XLSX, CSV and plain text are"
	case len(d.GetContent()) == 0 || beginsAs(d.GetContent(), magics):
		return ""
	}
	return "does not agree with how the content begins; check the type and the file"
}

// beginsAs reports whether content begins as one of the magics. A text has none: it is known by what it has not.
func beginsAs(content []byte, magics []string) bool {
	for _, magic := range magics {
		if magic == isText {
			return !bytes.ContainsRune(content, 0) && !beginsAsAnother(content)
		}
		if bytes.HasPrefix(content, []byte(magic)) {
			return true
		}
	}
	return false
}

// beginsAsAnother reports whether a text is really one of the other types.
func beginsAsAnother(content []byte) bool {
	for _, magics := range usualTypes {
		for _, magic := range magics {
			if magic != isText && bytes.HasPrefix(content, []byte(magic)) {
				return true
			}
		}
	}
	return false
}

package product

import (
	"strings"
	"testing"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func TestFileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"letter.pdf", "Lettre d'autorisation (été).pdf", "a", ".hidden", "letter..pdf", "12:30.pdf", "授權書.pdf", "a b\u00a0c.txt",
		strings.Repeat("x", 255), "é:x",
	} {
		if flaw := fileNameFlaw(name); flaw != "" {
			t.Errorf("%q %s", name, flaw)
		}
	}
	for _, name := range []string{
		"../letter.pdf", "..", ".", "...", "/etc/passwd", `C:\letter.pdf`, `..\letter.pdf`, "C:letter.pdf", "c:", "letter\u202efdp.exe",
		"letter\u200f.pdf", "\ufeffletter.pdf", "let\u00adter.pdf", strings.Repeat("x", 256), strings.Repeat("é", 128),
	} {
		if fileNameFlaw(name) == "" {
			t.Errorf("%q passes", name)
		}
	}
	for _, name := range []string{"a\x00.pdf", "a\r\nb.pdf", "a\x7f.pdf", "a\u0085.pdf"} {
		if textFlaw(singleLine, name) == "" {
			t.Errorf("%q passes as a text", name)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"application/pdf", "text/csv; charset=utf-8", `text/plain; charset="utf-8"`, "image/svg+xml", "x/y"} {
		if !isMediaType(s) {
			t.Errorf("%q does not pass", s)
		}
	}
	for _, s := range []string{"", "pdf", "application/", "/pdf", "a/b/c", "application/pdf; x", "a b/c", "a/b, c/d", "é/x"} {
		if isMediaType(s) {
			t.Errorf("%q passes", s)
		}
	}
}

func TestDocumentDoubts(t *testing.T) {
	t.Parallel()
	const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	right := map[string][]string{
		"application/pdf":           {"%PDF-1.4", "%PDF-2.0\n"},
		"image/tiff":                {"II*\x00rest", "MM\x00*rest"},
		"image/jpeg":                {"\xff\xd8\xff\xe0"},
		"image/png":                 {"\x89PNG\r\n\x1a\nrest"},
		"application/msword":        {oleMagic + "rest"},
		"application/vnd.ms-excel":  {oleMagic},
		docx:                        {zipMagic + "rest"},
		xlsx:                        {zipMagic},
		"text/csv":                  {"a,b\n1,2\n", "\xef\xbb\xbfa,b"},
		"text/plain; charset=utf-8": {"hello", "é"},
		"text/plain":                {""}, // an empty file is refused, not doubted
	}
	for kind, contents := range right {
		for _, content := range contents {
			if doubt := documentDoubt(&portinv1.Document{MimeType: kind, Content: []byte(content)}); doubt != "" {
				t.Errorf("%s %q: %s", kind, content, doubt)
			}
		}
	}
	for _, wrong := range [][2]string{
		{"application/pdf", "PDF"},
		{"application/pdf", " %PDF-"},
		{"image/tiff", "II+\x00"},
		{"image/jpeg", "\xff\xd8"},
		{"image/png", "PNG"},
		{"application/msword", zipMagic},
		{docx, oleMagic},
		{"text/csv", zipMagic},
		{"text/plain", "a\x00b"},
		{"text/plain", "%PDF-1.4"},
		{"application/zip", zipMagic},
		{"text/html", "<html>"},
	} {
		if documentDoubt(&portinv1.Document{MimeType: wrong[0], Content: []byte(wrong[1])}) == "" {
			t.Errorf("%s %q is not doubted", wrong[0], wrong[1])
		}
	}
}

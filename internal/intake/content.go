package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/product"
)

// contentOf returns what is kept of a normalised order: the order without what is INPUT_ONLY (documents' content and
// passwords), with the sizes and digests of its documents and the paths of the passwords that it had. The order itself stays
// as it is; documents are not copied.
func contentOf(o *portinv1.PortInOrder) *portinv1.PortInOrder {
	documents := documentsOf(o.GetForm())
	contents := make([][]byte, len(documents))
	for i, d := range documents {
		contents[i], d.Content = d.Content, nil
	}
	kept := proto.CloneOf(o)
	for i, d := range documents {
		d.Content = contents[i]
	}
	for i, d := range documentsOf(kept.GetForm()) {
		digest := sha256.Sum256(contents[i])
		d.SizeBytes, d.Sha256 = int32(len(contents[i])), hex.EncodeToString(digest[:])
	}
	kept.WithheldFields = contract.ClearInputOnly(kept.ProtoReflect()) // documents' content is gone already
	return kept
}

func documentsOf(f *portinv1.PortForm) []*portinv1.Document {
	var all []*portinv1.Document
	for _, list := range [][]*portinv1.Document{
		f.GetLettersOfAuthorization(), f.GetLastInvoices(), f.GetBlifSpreadsheets(), f.GetRespOrgForms(),
	} {
		all = append(all, list...)
	}
	return all
}

// sameContent reports whether kept content and an order ask for the same: as messages, both normalised by this binary,
// documents by digest, passwords left out.
func sameContent(kept []byte, asked *portinv1.PortInOrder) (bool, error) {
	o, err := unpack(kept)
	if err != nil {
		return false, err
	}
	was := renormalised(o)
	was.WithheldFields = asked.GetWithheldFields() // they take no part
	return proto.Equal(was, asked), nil
}

// contentIn is the content of a record.
func contentIn(r ledger.Record) (*portinv1.PortInOrder, error) { return unpack(r.Content) }

func unpack(kept []byte) (*portinv1.PortInOrder, error) {
	o := &portinv1.PortInOrder{}
	if err := proto.Unmarshal(kept, o); err != nil {
		return nil, fmt.Errorf("read an order from the ledger: %w", err)
	}
	return o, nil
}

// packWarnings makes bytes of warnings, in an order that has nothing else.
func packWarnings(warnings []*portinv1.Warning) ([]byte, error) {
	return proto.Marshal(&portinv1.PortInOrder{Warnings: warnings})
}

// renormalised is kept content as this binary would normalise it; another version may have written it.
func renormalised(kept *portinv1.PortInOrder) *portinv1.PortInOrder {
	fresh := proto.CloneOf(kept)
	product.Normalize(fresh)
	was := documentsOf(kept.GetForm())
	for i, d := range documentsOf(fresh.GetForm()) { // digests are output, which normalising clears
		d.SizeBytes, d.Sha256 = was[i].GetSizeBytes(), was[i].GetSha256()
	}
	return fresh
}

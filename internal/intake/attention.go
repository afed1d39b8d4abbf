package intake

import (
	"strings"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
)

// attentionPrefix begins the contract's names of the ledger's reasons for attention, which are alike otherwise.
const attentionPrefix = "ATTENTION_CODE_"

// attentionCode is the contract's word for a reason; UNSPECIFIED for one that it has no word for.
func attentionCode(code ledger.AttentionCode) portinv1.AttentionCode {
	return portinv1.AttentionCode(portinv1.AttentionCode_value[attentionPrefix+string(code)])
}

// attentionOf is the reason that a word of the contract stands for. No order has that of a word that is none.
func attentionOf(word portinv1.AttentionCode) ledger.AttentionCode {
	return ledger.AttentionCode(strings.TrimPrefix(word.String(), attentionPrefix))
}

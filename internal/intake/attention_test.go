package intake

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
)

// TestEveryReasonForAttentionHasItsWord compares the ledger's reasons with the contract's, both ways: one that only the ledger
// has would be told as UNSPECIFIED, and one that only the contract has would be asked for in vain and never be counted.
func TestEveryReasonForAttentionHasItsWord(t *testing.T) {
	t.Parallel()
	var words []portinv1.AttentionCode
	for number := range portinv1.AttentionCode_name {
		if number != 0 {
			words = append(words, portinv1.AttentionCode(number))
		}
	}
	slices.Sort(words)
	var said []portinv1.AttentionCode
	for _, code := range ledger.AttentionCodes() {
		word := attentionCode(code)
		if said = append(said, word); attentionOf(word) != code {
			t.Errorf("%s is said as %v, which stands for %s", code, word, attentionOf(word))
		}
	}
	slices.Sort(said)
	if diff := cmp.Diff(words, said); diff != "" {
		t.Errorf("the words for reasons (-contract +ledger):\n%s", diff)
	}
	if word := attentionCode("NO_SUCH_REASON"); word != portinv1.AttentionCode_ATTENTION_CODE_UNSPECIFIED {
		t.Errorf("a reason that the contract does not have is said as %v", word)
	}
}

package auth

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/portin/portin/internal/identity"
)

const (
	// needsAuthorities and needsIssuer are the settings without which a certificate, or a token, is never taken.
	needsAuthorities = "tls-client-ca-file"
	needsIssuer      = "auth-oidc-issuer"
	// maxNamed is how many callers one line of the log names.
	maxNamed = 20
)

// warn tells of the callers who can never call, in one line of the log for each setting that is missing. It is no error: the
// others call, also by a roster that is taken over while the service runs, and the setting may be what comes next.
func (r *roster) warn(ctx context.Context, log *slog.Logger, certificates, tokens bool) {
	stranded := r.stranded(certificates, tokens)
	for _, needs := range slices.Sorted(maps.Keys(stranded)) {
		names := stranded[needs]
		slices.Sort(names)
		more := ""
		if n := len(names) - maxNamed; n > 0 {
			names, more = names[:maxNamed], fmt.Sprintf(" and %d more", n)
		}
		log.WarnContext(ctx, "some callers of the callers file can never call: what they have to prove who they are is not taken without a setting",
			slog.String("needs", needs), slog.String("names", strings.Join(names, " ")+more))
	}
}

// stranded are the names of the callers who have nothing that is taken, by what they need: of two settings, either would do.
func (r *roster) stranded(certificates, tokens bool) map[string][]string {
	shows, signs := map[*identity.Caller]bool{}, map[*identity.Caller]bool{}
	for _, caller := range r.certificates {
		shows[caller] = true
	}
	for _, caller := range r.subjects {
		signs[caller] = true
	}
	for _, h := range r.keys { // a key is always taken
		delete(shows, h.caller)
		delete(signs, h.caller)
	}
	stranded := map[string][]string{}
	for caller := range shows {
		switch {
		case certificates || tokens && signs[caller]:
		case signs[caller]:
			stranded[needsAuthorities+" or "+needsIssuer] = append(stranded[needsAuthorities+" or "+needsIssuer], caller.Name)
		default:
			stranded[needsAuthorities] = append(stranded[needsAuthorities], caller.Name)
		}
	}
	for caller := range signs {
		if !tokens && !shows[caller] {
			stranded[needsIssuer] = append(stranded[needsIssuer], caller.Name)
		}
	}
	return stranded
}

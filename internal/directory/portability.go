package directory

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/nanp"
)

// CheckPortability asks the carrier about each number or prefix, the same one once, a few at a time over all callers. The
// results are in the order of the request. One whose answer could not be read is UNKNOWN; the call fails if that is
// true of all, or if the carrier cannot be asked. Numbers that cannot be read are INVALID_FIELDS of `numbers[i]`.
func (d *Directory) CheckPortability(
	ctx context.Context, req *portinv1.CheckPortabilityRequest,
) (*portinv1.CheckPortabilityResponse, error) {
	asked, err := readAll(req.GetNumbers())
	if err != nil {
		return nil, err
	}
	answers, err := d.askAll(ctx, asked)
	if err != nil {
		return nil, err
	}
	resp := &portinv1.CheckPortabilityResponse{}
	for _, digits := range asked {
		answer := answers[digits]
		number := digits
		if len(digits) == wholeNumber {
			number = "+1" + digits
		}
		resp.Results = append(resp.Results, &portinv1.Portability{
			Number: number, Verdict: verdicts[answer.Reply], Message: answer.Message,
		})
	}
	return resp, nil
}

// verdicts hold what each reply of the carrier's says of a number.
var verdicts = [...]portinv1.PortabilityVerdict{
	carrier.ReplyNone:        portinv1.PortabilityVerdict_PORTABILITY_VERDICT_UNKNOWN,
	carrier.ReplyRejected:    portinv1.PortabilityVerdict_PORTABILITY_VERDICT_NOT_PORTABLE,
	carrier.ReplyAccepted:    portinv1.PortabilityVerdict_PORTABILITY_VERDICT_PORTABLE,
	carrier.ReplyDeferred:    portinv1.PortabilityVerdict_PORTABILITY_VERDICT_UNCERTAIN,
	carrier.ReplyConditional: portinv1.PortabilityVerdict_PORTABILITY_VERDICT_UNCERTAIN,
	carrier.ReplyError:       portinv1.PortabilityVerdict_PORTABILITY_VERDICT_UNKNOWN,
}

// askAll asks about each of the digits once.
func (d *Directory) askAll(ctx context.Context, asked []string) (map[string]carrier.Portability, error) {
	type result struct {
		answer     carrier.Portability
		unreadable error
	}
	results := map[string]*result{}
	group, ctx := errgroup.WithContext(ctx)
	for _, digits := range asked {
		if results[digits] != nil {
			continue
		}
		r := &result{}
		results[digits] = r
		group.Go(func() error {
			return guarded(func() (err error) {
				if r.answer, err = d.askOne(ctx, digits); fault.Is(err, fault.ReasonCarrierUnreadable) {
					r.unreadable, err = err, nil
				}
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	answers, readable := map[string]carrier.Portability{}, false
	var unreadable error
	for digits, r := range results {
		answers[digits] = r.answer
		readable = readable || r.unreadable == nil
		unreadable = r.unreadable
	}
	if !readable {
		return nil, unreadable
	}
	return answers, nil
}

// askOne waits for its turn and asks.
func (d *Directory) askOne(ctx context.Context, digits string) (carrier.Portability, error) {
	select {
	case d.asking <- struct{}{}:
	case <-ctx.Done():
		return carrier.Portability{}, left(ctx)
	}
	defer func() { <-d.asking }()
	return d.carrier.CheckPortability(ctx, digits)
}

const (
	shortestPrefix = 6
	wholeNumber    = 10
)

// readAll reads what was asked about, or reports everything that cannot be read.
func readAll(written []string) (digits []string, err error) {
	var violations []fault.Violation
	for i, text := range written {
		read, ok := readDigits(text)
		if !ok {
			violations = append(violations, fault.Violation{
				Field: fmt.Sprintf("numbers[%d]", i),
				Description: "is neither a North American telephone number nor the first six to nine digits of one; " +
					"write 416-555-0123 or 416555, for two",
			})
		}
		digits = append(digits, read)
	}
	if len(violations) > 0 {
		return nil, fault.Fields(violations)
	}
	return digits, nil
}

// readDigits reads a number, or the beginning of one with at least its area code and exchange.
func readDigits(written string) (digits string, ok bool) {
	if number, ok := nanp.Parse(written); ok {
		return strconv.FormatInt(int64(number), 10), true
	}
	digits = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-()", r) {
			return -1
		}
		return r
	}, strings.TrimPrefix(strings.Trim(written, " "), "+"))
	digits = strings.TrimPrefix(digits, "1")
	if len(digits) < shortestPrefix || len(digits) >= wholeNumber {
		return "", false
	}
	// The prefix is well if some number begins with it.
	number, ok := nanp.Parse(digits + "0000000"[:wholeNumber-len(digits)])
	return digits, ok && strings.HasPrefix(strconv.FormatInt(int64(number), 10), digits)
}

package order

// Status is the carrier's word for how a port fares. The carrier's list may grow: a word that is none of the constants
// is kept and passed on, never an error.
type Status string

// The words that the carrier is known to use.
const (
	StatusPending                 Status = "PENDING"
	StatusSubmitted               Status = "SUBMITTED"
	StatusConfirmed               Status = "CONFIRMED"
	StatusConfirmedWithDateChange Status = "CONFIRMEDwDATECHANGE"
	StatusConfirmedWithException  Status = "CONFIRMEDwEXCEPTION"
	StatusCompleted               Status = "COMPLETED"
	StatusRejected                Status = "REJECTED"
	StatusHold                    Status = "HOLD"
	StatusRescheduled             Status = "RESCHEDULED"
	StatusCancellationPending     Status = "CANCELLATIONPENDING"
	StatusCancelled               Status = "CANCELLED"
	StatusPartialCancellation     Status = "PARTIALCANCELLATION"
	StatusFullCancellation        Status = "FULLCANCELLATION"
	StatusExpired                 Status = "EXPIRED"
)

// Category is what a status means for the reader of a list.
type Category uint8

// The categories. The zero value means that no status is known.
const (
	CategoryOpen Category = iota + 1
	CategoryScheduled
	CategoryAttention
	CategoryClosed
)

// categories holds the category of every known word; that of REJECTED while nobody disputes it.
var categories = map[Status]Category{
	StatusPending:                 CategoryOpen,
	StatusSubmitted:               CategoryOpen,
	StatusConfirmed:               CategoryScheduled,
	StatusConfirmedWithDateChange: CategoryScheduled,
	StatusConfirmedWithException:  CategoryAttention,
	StatusCompleted:               CategoryClosed,
	StatusRejected:                CategoryAttention,
	StatusHold:                    CategoryAttention,
	StatusRescheduled:             CategoryScheduled,
	StatusCancellationPending:     CategoryOpen,
	StatusCancelled:               CategoryClosed,
	StatusPartialCancellation:     CategoryOpen,
	StatusFullCancellation:        CategoryClosed,
	StatusExpired:                 CategoryClosed,
}

// Category is what the status means, given whether the porting team disputes a rejection. A word that is not known
// needs attention; no word at all has no category.
func (s Status) Category(disputing bool) Category {
	c, known := categories[s]
	switch {
	case s == "":
		return 0
	case s == StatusRejected && disputing:
		return CategoryOpen
	case !known:
		return CategoryAttention
	}
	return c
}

// Statuses lists the words that the carrier is known to use, in the order of its documentation.
func Statuses() []Status {
	return []Status{
		StatusPending, StatusSubmitted, StatusConfirmed, StatusConfirmedWithDateChange, StatusConfirmedWithException,
		StatusCompleted, StatusRejected, StatusHold, StatusRescheduled, StatusCancellationPending, StatusCancelled,
		StatusPartialCancellation, StatusFullCancellation, StatusExpired,
	}
}

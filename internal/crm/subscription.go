package crm

import "time"

// A SubscriptionState is where a subscription stands, in the one vocabulary
// that the words of all billing systems are translated into. SubscriptionStates
// are kept in the database.
type SubscriptionState string

// The states of subscriptions.
const (
	SubscriptionLive     SubscriptionState = "live"     // paid for, also if it will not renew or rests
	SubscriptionPastDue  SubscriptionState = "past_due" // live, and its payment is late
	SubscriptionTrialing SubscriptionState = "trialing"
	SubscriptionOver     SubscriptionState = "over"
	SubscriptionFuture   SubscriptionState = "future" // begins later, or never came about
)

// A Subscription is one of a customer's, as its source has it. It is no record:
// what is kept of it decides the customer's status and the start of the trial.
type Subscription struct {
	ID             string // at the source
	Customer       string // external id
	State          SubscriptionState
	TrialStartedAt time.Time // zero: it has had no trial
	UpdatedAt      time.Time // at the source; zero: not known
	Deleted        bool      // it counts for nothing any more
}

// A Subscriber is a customer with all that is known of its subscriptions.
type Subscriber struct {
	Customer      string // external id
	Subscriptions []Subscription
}

// StreamStatuses is the stream of every source that has subscriptions: what they
// make of their customers. It is read from the database.
const StreamStatuses = "statuses"

// The statuses of customers that follow from their subscriptions.
const (
	StatusActive    = "Active"
	StatusPastDue   = "Past Due"
	StatusCancelled = "Cancelled"
	StatusNewLead   = "New Lead"
)

// Fold says what a customer's subscriptions make of the customer: one that is
// past due wins over one that is live, and that over one that is over. Somebody
// who tries, or will begin, is a lead. The trial is the first that began; zero
// if there was none. Without subscriptions the status is that of a lead.
func Fold(all []Subscription) (status string, trial time.Time) {
	status = StatusNewLead
	best := 0
	for _, s := range all {
		if !s.TrialStartedAt.IsZero() && (trial.IsZero() || s.TrialStartedAt.Before(trial)) {
			trial = s.TrialStartedAt
		}
		if f := folds[s.State]; !s.Deleted && f.rank > best {
			best, status = f.rank, f.status
		}
	}
	return status, trial
}

// folds says which state of a subscription wins, and what it makes of its
// customer.
var folds = map[SubscriptionState]struct {
	rank   int
	status string
}{
	SubscriptionOver:     {1, StatusCancelled},
	SubscriptionTrialing: {2, StatusNewLead},
	SubscriptionLive:     {3, StatusActive},
	SubscriptionPastDue:  {4, StatusPastDue},
}

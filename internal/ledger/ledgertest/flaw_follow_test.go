package ledgertest

// flawsOfFollowing are those of orders that are followed and corrected.
var flawsOfFollowing = map[string][]quirk{
	"an order that corrects another one takes its place and its numbers": {
		"takes no numbers over", "corrects silently", "tells of the correction last", "claims silently",
	},
	"an order that cannot be corrected comes back as it is":              {"corrects anything", "marks what cannot be corrected"},
	"an order that the tenant does not have cannot be corrected":         {"corrects for any tenant"},
	"a key that is taken is answered before the order that it corrects":  {"looks at the predecessor first"},
	"a number that a third order holds refuses a correction":             {"leaves half a correction", "takes the numbers of all"},
	"an order is sent again whatever became of the one that it corrects": {"corrects at every claim"},
	"an order that was corrected holds nothing any more":                 {"forgets what was corrected"},
	"an order that was corrected holds what it did not hand on": {
		"hands on every number", "never lets go what it did not hand on", "collides with its successor",
	},
	"an order holds what it guards in every state but when it was ported": {"guards nothing", "guards what was ported"},
	"an order that guards its numbers is claimed again":                   {"claims again what it guards beside another", "takes no second attempt"},
	"an order that guards its numbers is corrected instead of sent":       {"claims again what was corrected"},
	"of many that correct an order one does":                              {"corrects in two steps"},
	"an order that was placed elsewhere is there and is told of":          {"follows silently", "holds nothing", "shares tickets"},
	"a ticket that an order has is not followed again": {
		"follows for each tenant", "follows in every account", "follows what is over", "follows anything",
		"keeps the ticket's order to itself",
	},
	"a number that is held refuses an order that was placed elsewhere": {
		"holds what it follows no numbers of", "leaves half of what it follows", "names any number",
	},
	"an order without numbers is followed": {"needs numbers"},
	"an order that is over holds nothing when it is followed": {
		"follows what is closed as if it were open", "holds whatever the status",
	},
	"an order that is followed is handed out when it is due": {"raises no fence", "hands out any state"},
	"of many that follow a ticket one does":                  {"follows in two steps"},
	"the events of a history are those of all its orders": {
		"tells of one order", "tells what came before", "has histories of all tenants", "tells a history order by order",
		"tells without end",
	},
	"a list of a history has all its orders": {"reads no history", "lists the oldest first"},
}

// flawsOfFeeds are those of Feed and Hooks.
var flawsOfFeeds = map[string][]quirk{
	"the head is the sequence of the latest event":         {"has the head of one tenant", "has its head one beyond"},
	"changes are the events of all tenants in their order": {"feeds one tenant", "feeds order by order", "feeds without end"},
	"whoever polls the changes sees every event once":      {"feeds late"},
	"records come back by their ids":                       {"misses a record", "has records of one tenant"},
	"a hint comes after a commit":                          {"never hints", "hints to one", "hints once", "stops all hints"},
	"a hint comes after a commit of another store":         {"hints in its own store"},
	"every field of an endpoint is kept":                   {"keeps the content", "keeps nanoseconds"},
	"a new endpoint begins at the head":                    {"begins at the beginning"},
	"an endpoint id has one endpoint":                      {"replaces other tenants' endpoints"},
	"only the next version replaces an endpoint":           {"replaces any version", "replaces the whole endpoint"},
	"an endpoint is its tenant's own": {
		"puts any tenant's endpoint", "deletes for any tenant", "shows all tenants' deliveries", "redelivers for any tenant",
		"counts everybody's deliveries",
	},
	"the oldest endpoint comes first":                         {"has endpoints of nobody", "sorts endpoints by id"},
	"an endpoint that is deleted is gone with its deliveries": {"deletes what is there", "keeps the deliveries of what is deleted"},
	"of many that change an endpoint one does":                {"puts endpoints in two steps"},
	"deliveries are queued from one place to a later one": {
		"queues for nobody", "moves any cursor", "queues before it looks", "leaves the cursor",
	},
	"every field of a delivery is kept": {
		"queues what it is handed", "settles everything", "keeps nanoseconds",
	},
	"a taker settles a delivery by its fence": {"settles what is gone", "settles by any fence"},
	"the latest delivery is shown first": {
		"shows no deliveries of no states", "shows every state", "shows the place itself", "shows the oldest first",
		"has more deliveries when a page is full",
	},
	"pending deliveries are counted for each endpoint": {
		"counts nobody's deliveries", "counts what was delivered", "counts to nought",
	},
	"deliveries are made pending again": {
		"redelivers from the beginning", "redelivers every state", "keeps attempts", "counts no redeliveries", "redelivers without a fence",
	},
	"who had a delivery before it is made pending again cannot settle it": {
		"redelivers without a fence", "settles by any fence",
	},
	"deliveries that are over are forgotten": {
		"forgets what is pending", "forgets the moment itself", "forgets without end",
	},
	"what waits for a disabled endpoint is forgotten": {
		"keeps what waits for nobody", "forgets what is pending", "forgets the moment itself", "forgets without end",
	},
	"the longest due delivery is handed out first": {
		"delivers by sequence", "delivers too early", "delivers without end", "is always due",
		"delivers one order at a time",
	},
	"a delivery is not handed out again before its time": {
		"is due at once", "delivers without a fence", "delivers again and again",
	},
	"the deliveries of one order are handed out one after another": {
		"delivers out of order", "is due for what waits behind another", "delivers one order at a time",
	},
	"what is made pending again comes before what is later":      {"delivers out of order"},
	"nothing is handed out for an endpoint that is disabled":     {"delivers to what is disabled"},
	"of many that move a cursor one does":                        {"moves cursors in two steps"},
	"each delivery goes to one taker, in the order of its order": {"delivers to several", "delivers out of order"},
	"any calls about deliveries in any order answer as the contract says": {
		"delivers out of order", "delivers too early", "delivers without end", "is due for what waits behind another", "is due at once",
		"delivers without a fence", "delivers to what is disabled", "delivers again and again", "delivers by sequence", "settles by any fence",
		"settles what is gone", "shows every state", "shows the oldest first", "counts what was delivered", "redelivers from the beginning",
		"redelivers every state", "keeps attempts", "counts no redeliveries", "forgets what is pending", "keeps what waits for nobody",
		"delivers one order at a time", "redelivers without a fence",
	},
}

// Package config is what an operator decides: one struct whose tags hold the name, the default and the help of every
// setting, one Default, the loader of the settings file and one Validate that reports all problems at once.
//
// Flags win over the environment (PORTIN_ and the flag's name in capitals), which wins over the file. It promises that
// a flag and a line of the file which nobody knows are errors, that a variable which nobody knows can be told of, and that no
// secret is printed. It refuses to build anything.
package config

import (
	"time"

	"github.com/alecthomas/kong"
)

// Config is every setting of portin. The zero value is not usable; Default is.
type Config struct {
	GRPC     GRPC     `embed:"" prefix:"grpc-"`
	HTTP     HTTP     `embed:"" prefix:"http-"`
	Admin    Admin    `embed:"" prefix:"admin-"`
	TLS      TLS      `embed:"" prefix:"tls-"`
	Auth     Auth     `embed:"" prefix:"auth-"`
	Carrier  Carrier  `embed:"" prefix:"carrier-"`
	Ledger   Ledger   `embed:"" prefix:"ledger-"`
	Orders   Orders   `embed:"" prefix:"orders-"`
	Webhooks Webhooks `embed:"" prefix:"webhooks-"`
	Limits   Limits   `embed:"" prefix:"limits-"`
	Standin  Standin  `embed:"" prefix:"sandbox-"`
	Log      Log      `embed:"" prefix:"log-"`
	Trace    Trace    `embed:"" prefix:"trace-"`

	Sandbox         bool          `help:"Serve a stand-in for the carrier beside the service and send every order there. Nothing is ported."`
	InsecureListen  bool          `help:"Serve gRPC and JSON on addresses that are not loopback although there is no certificate, or no callers file. Whoever reaches them can listen in, or order."`
	ShutdownDelay   time.Duration `default:"0s" help:"How long the service goes on after a signal to stop while it says that it is not ready, so that a balancer can notice."`
	ShutdownTimeout time.Duration `default:"25s" help:"How long calls and orders in flight may take to end after a signal to stop."`
}

// Flags are the settings as kong fills them. Kong calls Validate on what it fills, for every command, and neither the
// stand-in alone nor a look at the version needs a carrier: this type has the fields of Config without its methods.
type Flags Config

// Settings returns the settings, to be validated by whoever uses them.
func (f Flags) Settings() Config { return Config(f) }

// GRPC is the gRPC face.
type GRPC struct {
	Address          string        `default:"127.0.0.1:50051" help:"Where gRPC is served, host:port; port 0 takes a free one."`
	MaxConnectionAge time.Duration `default:"30m" help:"How long a client's connection lives before it is asked to reconnect."`
	LongestCall      time.Duration `default:"2m" help:"How long a call may take at the most; a nearer deadline of the caller wins."`
}

// HTTP is the JSON face with the documentation.
type HTTP struct {
	Address     string   `default:"127.0.0.1:8080" help:"Where JSON and the documentation are served, host:port; port 0 takes a free one."`
	CORSOrigins []string `name:"cors-origins" placeholder:"ORIGIN" help:"Origins whose pages may call the JSON API, exact: https://app.example.com. None by default."`
}

// Admin is the face for those who run the service.
type Admin struct {
	Address        string `default:"127.0.0.1:9090" help:"Where /livez, /readyz, /metrics and profiles are served, host:port; port 0 takes a free one."`
	InsecureListen bool   `help:"Serve them on an address that is not loopback. They are neither encrypted nor protected, and a profile shows what is in memory."`
}

// TLS are the certificates that both faces serve with; without them they are not encrypted. The files are read again when they
// change.
type TLS struct {
	CertFile     string `type:"path" placeholder:"FILE" help:"Certificate chain of both faces, PEM. It is read again when it changes."`
	KeyFile      string `type:"path" placeholder:"FILE" help:"Private key of that certificate, PEM."`
	ClientCAFile string `name:"client-ca-file" type:"path" placeholder:"FILE" help:"Authorities of callers' certificates, PEM. Callers may then prove who they are with one; the callers file says who that is."`
}

// Auth is who may call. Without a callers file everybody who reaches the service may do everything.
type Auth struct {
	CallersFile     string `type:"path" placeholder:"FILE" help:"Who may call and do what, in YAML; see docs/security.md. It is read again when it changes."`
	OIDCIssuer      string `name:"oidc-issuer" placeholder:"URL" help:"Issuer of bearer tokens that are taken beside API keys and certificates. Needs auth-callers-file, which names the tenants."`
	OIDCAudience    string `name:"oidc-audience" placeholder:"NAME" help:"Audience that such a token must be for."`
	OIDCTenantClaim string `name:"oidc-tenant-claim" default:"tenant" help:"Claim of such a token that names the caller's tenant."`
}

// Ledger is where orders are kept: in a file of this process alone, or in a PostgreSQL database that several share.
type Ledger struct {
	File    string `type:"path" placeholder:"FILE" help:"File of the embedded ledger of orders; one process a file. With --sandbox and no ledger named, a throw-away one is used."`
	URL     Secret `name:"url" placeholder:"URL" help:"PostgreSQL database of the ledger, postgres://user:password@host/database. Better in the environment, or in a file with --ledger-url-file."`
	URLFile string `name:"url-file" type:"path" placeholder:"FILE" help:"File that holds the URL of the ledger's PostgreSQL database."`
}

// Carrier is the way to the carrier.
type Carrier struct {
	URL          string        `name:"url" placeholder:"URL" help:"Base URL of the carrier's API: https://api.thinktel.ca/rest.svc. Not needed with --sandbox."`
	Username     string        `help:"User name for the carrier."`
	Password     Secret        `help:"Password for the carrier. Better in the environment, or in a file with --carrier-password-file."`
	PasswordFile string        `type:"path" placeholder:"FILE" help:"File that holds the password for the carrier. It is read again when it changes."`
	AccountsFile string        `type:"path" placeholder:"FILE" help:"Several accounts at the carrier, and the tenants that have them, in YAML; see docs/operations.md. It stands in the place of the user name and password, and is read again when it changes."`
	PostTimeout  time.Duration `default:"60s" help:"How long the carrier may take to answer an order."`
	GetTimeout   time.Duration `default:"10s" help:"How long the carrier may take to answer a look-up."`
	NoPortIn     string        `default:"404-exception" enum:"404-exception,any-404,empty-200,null-200,blank-200" help:"How the carrier says that it knows no such port-in: ${enum}."`
}

// Orders is how orders are taken.
type Orders struct {
	LeastRemaining time.Duration `default:"5s" help:"How much of a caller's deadline must be left when an order is sent."`
	LookTimeout    time.Duration `default:"10s" help:"How long the look at the carrier before an order may take."`
	RequireLook    bool          `help:"Send no order when the look at the carrier before it fails."`
	MinLeadDays    int           `default:"2" help:"Business days before the requested date below which an order is warned of."`
	ListsTTL       time.Duration `name:"lists-ttl" default:"5m" help:"How long the carrier's lists are kept."`
	DoubtWindow    time.Duration `default:"30m" help:"How long a new ticket may take to become visible at the carrier. An order that is in doubt for longer needs attention once three look-ups agree, and after twice that in any case."`
	DoubtSpacing   time.Duration `default:"10m" help:"How far apart look-ups of an order in doubt have to be to count as agreeing, and the longest time between two."`
	PollInterval   time.Duration `default:"30m" help:"How often the carrier is asked about an open order. Close to the day of its port it is asked six times as often, about one that is on hold seldom."`
	PollsPerSecond float64       `default:"2" help:"How many status look-ups a second this process makes for the orders that it follows, at most."`
	NoProgressDays int           `default:"10" help:"After how many business days without news from the carrier an order needs attention; 0 is never."`
	Keep           time.Duration `default:"0s" help:"How long an order that is over keeps its personal data after its last change, 720h at least; then it is removed. 0 keeps it until somebody erases it."`
}

// LeastKept is the shortest time for which the personal data of orders can be kept: so long their keys may be used again.
const LeastKept = 720 * time.Hour

// Webhooks are how callers' servers are told what happens to orders.
type Webhooks struct {
	MaxEndpoints int           `default:"50" help:"Endpoints a tenant."`
	AtOnce       int           `default:"64" help:"Deliveries under way in this process, at most."`
	PerEndpoint  int           `default:"4" help:"How many of them go to one endpoint, at most."`
	Keep         time.Duration `default:"720h" help:"How long deliveries are kept that are over, or that wait for a disabled endpoint, counted from their event."`
	AllowHTTP    bool          `name:"allow-http" help:"Accept URLs without encryption. For development."`
	AllowInward  bool          `name:"allow-inward" help:"Deliver to addresses inside a network too. For development: whoever may create an endpoint can then reach what this service can reach."`
}

// Limits bound what one order holds, from which the message limits of both faces follow, and how many watches there are.
type Limits struct {
	Numbers       int   `default:"1000" help:"Numbers an order."`
	FileBytes     int64 `default:"10485760" help:"Bytes a document."`
	DocumentBytes int64 `default:"26214400" help:"Bytes of all documents of an order."`
	BytesInFlight int64 `default:"1073741824" help:"Bytes of memory that large requests may take in this process together. An order takes four times its documents, until it was sent; what does not fit is refused until there is room. The default has room for ten of the largest orders."`
	Watches       int   `default:"20000" help:"Watches that this process serves at once."`

	CallsPerSecond float64 `default:"100" help:"Calls a second of each caller that the callers file tells apart, in this process; 0 is no limit."`
	CallsAtOnce    int     `default:"200" help:"Calls that such a caller may make at once after a silence."`
}

// Standin is the stand-in for the carrier, beside the service or alone.
type Standin struct {
	Address  string `default:"127.0.0.1:8081" help:"Where the stand-in is served, host:port; port 0 takes a free one."`
	Unknowns string `placeholder:"NAME=VALUE,…" help:"How the stand-in behaves where the carrier is unknown; its page at /_sandbox/ lists the names."`
}

// Log is what is written to standard error.
type Log struct {
	Level  string `default:"info" enum:"debug,info,warn,error" help:"Least level that is written: ${enum}."`
	Format string `default:"text" enum:"text,json" help:"Form of a line: ${enum}."`
}

// Trace is where the spans of calls go. Without an endpoint there are none.
type Trace struct {
	Endpoint    string  `placeholder:"HOST:PORT" help:"Where spans are sent: a collector that speaks OTLP over gRPC, 127.0.0.1:4317 for one. Empty is nowhere."`
	Insecure    bool    `help:"Send spans without encryption."`
	SampleRatio float64 `default:"1" help:"Share of the calls that are traced, 0 to 1, where the caller did not decide it."`
}

// Default returns the settings as the tags above have them.
func Default() Config {
	var f Flags
	if err := kong.ApplyDefaults(&f); err != nil {
		panic("config: a default does not fit its field: " + err.Error()) // found by the first test
	}
	return f.Settings()
}

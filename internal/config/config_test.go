package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// commandLine is a command line as the program has it.
type commandLine struct {
	Config kong.ConfigFlag
	Flags

	Serve struct{} `cmd:""`
	Alone struct{} `cmd:""`
}

// parser returns the parser of a command line, made as the program makes its own.
func parser(t *testing.T, c *commandLine) *kong.Kong {
	t.Helper()
	p, err := kong.New(c, kong.Name("portin"), kong.Configuration(YAML), kong.DefaultEnvars("PORTIN"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDefault(t *testing.T) {
	t.Parallel()
	want := Config{
		GRPC:  GRPC{Address: "127.0.0.1:50051", MaxConnectionAge: 30 * time.Minute, LongestCall: 2 * time.Minute},
		HTTP:  HTTP{Address: "127.0.0.1:8080"},
		Admin: Admin{Address: "127.0.0.1:9090"},
		Auth:  Auth{OIDCTenantClaim: "tenant"},
		Carrier: Carrier{
			PostTimeout: time.Minute, GetTimeout: 10 * time.Second, NoPortIn: "404-exception",
		},
		Orders: Orders{
			LeastRemaining: 5 * time.Second, LookTimeout: 10 * time.Second, MinLeadDays: 2, ListsTTL: 5 * time.Minute,
			DoubtWindow: 30 * time.Minute, DoubtSpacing: 10 * time.Minute, PollInterval: 30 * time.Minute, PollsPerSecond: 2, NoProgressDays: 10,
		},
		Webhooks:        Webhooks{MaxEndpoints: 50, AtOnce: 64, PerEndpoint: 4, Keep: 720 * time.Hour},
		Limits:          Limits{Numbers: 1000, FileBytes: 10 << 20, DocumentBytes: 25 << 20, BytesInFlight: 1 << 30, Watches: 20_000, CallsPerSecond: 100, CallsAtOnce: 200},
		Standin:         Standin{Address: "127.0.0.1:8081"},
		Log:             Log{Level: "info", Format: "text"},
		Trace:           Trace{SampleRatio: 1},
		ShutdownTimeout: 25 * time.Second,
	}
	if diff := cmp.Diff(want, Default()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

// Every setting is a flag with a help, and a variable of the environment with the flag's name.
func TestEverySettingIsAFlag(t *testing.T) {
	t.Parallel()
	var c commandLine
	flags := 0
	for _, group := range parser(t, &c).Model.AllFlags(false) {
		for _, flag := range group {
			if flag.Name == "help" || flag.Name == "config" {
				continue
			}
			flags++
			if !strings.HasSuffix(flag.Help, ".") {
				t.Errorf("%s has the help %q, want a whole sentence", flag.Name, flag.Help)
			}
			want := "PORTIN_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
			if len(flag.Envs) != 1 || flag.Envs[0] != want {
				t.Errorf("%s is %q in the environment, want %s", flag.Name, flag.Envs, want)
			}
		}
	}
	if fields := leaves(reflect.TypeFor[Config]()); flags != fields {
		t.Errorf("%d flags for %d settings", flags, fields)
	}
}

// leaves counts the fields of a struct and of the structs in it.
func leaves(t reflect.Type) int {
	n := 0
	for field := range t.Fields() {
		if field.Type.Kind() == reflect.Struct {
			n += leaves(field.Type)
		} else {
			n++
		}
	}
	return n
}

// The stand-in alone needs no carrier, so kong must not ask for one.
func TestKongDoesNotValidate(t *testing.T) {
	t.Parallel()
	var c commandLine
	if _, err := parser(t, &c).Parse([]string{"alone"}); err != nil {
		t.Errorf("a command that needs no carrier: %v", err)
	}
	if err := c.Settings().Validate(); err == nil {
		t.Error("the settings without a carrier are valid")
	}
}

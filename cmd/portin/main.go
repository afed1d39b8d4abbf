// Command portin ports telephone numbers in: `portin serve` runs the service, `portin sandbox` the stand-in for the
// carrier alone, `portin config` looks at the settings.
package main

import (
	"context"
	"fmt"
	"io"
	stdlog "log" //nolint:depguard // only to take its text away
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/config"
)

// version is set by the linker.
var version = "devel"

// cli is the command line. The settings stand beside the commands, so that a file and the environment name them without
// one.
type cli struct {
	Version kong.VersionFlag `env:"-" help:"Print the version."`
	File    kong.ConfigFlag  `name:"config" help:"File with settings, in YAML; see docs/portin.example.yaml." placeholder:"FILE"`
	config.Flags

	ServeCmd   struct{} `cmd:"" name:"serve" help:"Serve gRPC, JSON and the documentation."`
	SandboxCmd struct{} `cmd:"" name:"sandbox" help:"Serve the stand-in for the carrier, alone."`
	ConfigCmd  struct {
		CheckCmd struct{} `cmd:"" name:"check" help:"Report everything that is wrong with the settings, and start nothing."`
		PrintCmd struct{} `cmd:"" name:"print" help:"Print the settings as they would be used, as a settings file, with stars for secrets."`
	} `cmd:"" name:"config" help:"Look at the settings."`
	KeyCmd struct {
		NewCmd struct{} `cmd:"" name:"new" help:"Make an API key, and the line by which the callers file knows it. It is shown once."`
	} `cmd:"" name:"key" help:"Look after API keys."`
	LedgerCmd struct {
		MigrateCmd struct{} `cmd:"" name:"migrate" help:"Bring the ledger to the shape that this version needs, as serve does when it starts."`
		EraseCmd   struct {
			OrderID string `arg:"" name:"order-id" help:"The order."`
			Tenant  string `default:"default" env:"-" help:"Whose order it is, as the callers file says; without such a file it is default."`
			Reason  string `required:"" env:"-" placeholder:"TEXT" help:"Why, for those who read the order's events later. It is kept, so it names nobody."`
		} `cmd:"" name:"erase" help:"Remove the personal data of an order that has been over for 30 days, for good. Beside a service on a SQLite file, call ErasePortInOrder instead."`
	} `cmd:"" name:"ledger" help:"Look after the ledger."`
	ProbeCmd struct {
		LiveCmd  struct{} `cmd:"" name:"live" help:"Ask whether it is alive."`
		ReadyCmd struct{} `cmd:"" name:"ready" help:"Ask whether it is ready to take orders."`
	} `cmd:"" name:"probe" help:"Ask the service on this machine, at admin-address, how it is; 0 is well."`
	VersionCmd struct{} `cmd:"" name:"version" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("portin"),
		kong.Description("Ports telephone numbers in through the carrier's API."),
		kong.Configuration(config.YAML),
		kong.DefaultEnvars("PORTIN"),
		kong.Vars{"version": "portin " + version},
		kong.Writers(out, errs),
		kong.Exit(func(code int) { exited = code }),
	)
	if err != nil {
		fmt.Fprintln(errs, "portin:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help was asked for
		return exited
	}
	if err != nil {
		fmt.Fprintln(errs, "portin:", err)
		return 2
	}
	log := newLog(c.Log, errs)
	stdlog.SetOutput(hushed{log})
	if err := do(ctx, parsed.Command(), c, parser.Model, log, out); err != nil {
		fmt.Fprintln(errs, "portin:", err)
		return 1
	}
	return 0
}

// do carries a command out.
func do(ctx context.Context, command string, line cli, model *kong.Application, log *slog.Logger, out io.Writer) error {
	c := line.Settings()
	switch command {
	case "serve":
		warnOfVariables(ctx, model, log)
		return app.Serve(ctx, app.Params{Config: c, Version: version, Log: log}, out)
	case "sandbox":
		return app.Sandbox(ctx, c, log, out)
	case "config check":
		warnOfVariables(ctx, model, log)
		if err := app.Check(ctx, c, log); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "the settings are good")
		return err
	case "config print":
		return config.Print(out, model)
	case "key new":
		return app.NewKey(out)
	case "ledger migrate":
		return app.Migrate(ctx, c)
	case "ledger erase <order-id>":
		e := line.LedgerCmd.EraseCmd
		return app.Erase(ctx, c, app.Erasure{OrderID: e.OrderID, Tenant: e.Tenant, Reason: e.Reason}, log, out)
	case "probe live", "probe ready":
		return app.Probe(ctx, c, strings.TrimPrefix(command, "probe "))
	}
	_, err := fmt.Fprintln(out, "portin", version)
	return err
}

// warnOfVariables tells of variables that look like settings and are none, by their names: what they hold may be a secret. They
// are no error, for not everything that begins with PORTIN_ is an operator's.
func warnOfVariables(ctx context.Context, model *kong.Application, log *slog.Logger) {
	for _, name := range config.UnknownVariables(model, os.Environ()) {
		log.WarnContext(ctx, "a variable of the environment is no setting and changes nothing; portin serve --help lists those that are", slog.String("name", name))
	}
}

// hushed stands behind the standard log, which only libraries write to. net/http shows there what a server sent beyond its
// answer, and that can quote an order, so the text is withheld.
type hushed struct{ log *slog.Logger }

// Write notes that something was written.
func (h hushed) Write(p []byte) (int, error) {
	h.log.Warn("a library wrote to the standard log; its text is withheld, for it may quote an order", slog.Int("bytes", len(p)))
	return len(p), nil
}

// newLog returns the log that the settings ask for.
func newLog(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // the flag's list of values lets nothing else through
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

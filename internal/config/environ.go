package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// envPrefix begins the variables of the environment that are settings.
const envPrefix = "PORTIN_"

// ofACluster is what Kubernetes calls the variables that tell a container of a service in its namespace: the service's name in
// capitals, and one of these ends.
var ofACluster = regexp.MustCompile(`^(.+?)_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_.+)?)?)$`)

// UnknownVariables returns the names, sorted and each once, of the variables in an environment that begin with PORTIN_ and
// that no flag of the command line is read from. The environment is a list of NAME=value, as os.Environ has it; no value is
// ever returned. Those of a Kubernetes service that is called portin, or portin-something, are nobody's mistake and left out.
func UnknownVariables(app *kong.Application, environ []string) []string {
	known := map[string]bool{}
	for _, group := range app.AllFlags(false) {
		for _, flag := range group {
			for _, name := range flag.Envs {
				known[name] = true
			}
		}
	}
	given := map[string]bool{}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		given[name] = true
	}
	var unknown []string
	for name := range given {
		if strings.HasPrefix(name, envPrefix) && !known[name] && !clustered(name, given) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// clustered reports whether a variable is one of a Kubernetes service that is among the given ones with its host, as they all are:
// PORTIN_PORT alone, or PORTIN_GRPC_PORT, is what a person may have meant as a setting.
func clustered(name string, given map[string]bool) bool {
	m := ofACluster.FindStringSubmatch(name)
	return len(m) == 2 && given[m[1]+"_SERVICE_HOST"]
}

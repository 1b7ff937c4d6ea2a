// Package deploy holds the examples in docs/deploy to the program: their flags are its
// flags, their ports and paths are the same from one to the other.
package deploy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/coinslot/coinslot/internal/testneed"
)

const (
	repository = "../.."
	examples   = repository + "/docs/deploy/"

	port = "8080"
	user = 65532
)

// program is the one that is built of this tree.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workshop, "coinslot")
	build := exec.Command("go", "build", "-o", path, "./cmd/coinslot")
	build.Dir = repository
	out, err := build.CombinedOutput()
	if err != nil {
		err = errors.New(err.Error() + "\n" + string(out))
	}
	return path, err
})

var workshop string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "deploy")
	if err != nil {
		panic(err)
	}
	workshop = dir
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(examples + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// help is what the program says of a command.
func help(t *testing.T, command string) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "help", command).Output()
	if err != nil {
		t.Fatalf("coinslot help %s: %v", command, err)
	}
	return string(out)
}

var flag = regexp.MustCompile(`^--[a-z-]+`)

// commandLine wants every flag of a command line to be one of the command's.
func commandLine(t *testing.T, where string, words []string) {
	t.Helper()
	if len(words) < 1 {
		t.Fatalf("%s has no command", where)
	}
	known := help(t, words[0])
	for _, w := range words[1:] {
		if name := flag.FindString(w); name != "" && !strings.Contains(known, "\n  "+name+" ") && !strings.Contains(known, "\n  "+name+"\n") {
			t.Errorf("%s: coinslot %s has no flag %s", where, words[0], name)
		}
	}
}

// variables wants every COINSLOT_… that is set to be one that serve reads.
func variables(t *testing.T, where, text string) {
	t.Helper()
	known := help(t, "serve")
	for _, name := range regexp.MustCompile(`COINSLOT_[A-Z_]+[A-Z]`).FindAllString(text, -1) {
		if !strings.Contains(known, name+")") {
			t.Errorf("%s: coinslot serve reads no %s", where, name)
		}
	}
}

func TestSystemdUnitsCallTheProgramAsItIs(t *testing.T) {
	for _, name := range []string{"coinslot.service", "coinslot-backup.service"} {
		calls := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/coinslot (.*)$`).FindAllStringSubmatch(read(t, "systemd/"+name), -1)
		if len(calls) == 0 {
			t.Errorf("%s starts nothing", name)
		}
		for _, call := range calls {
			commandLine(t, name, strings.Fields(call[1]))
			if !strings.Contains(call[1], "--data /var/lib/coinslot") {
				t.Errorf("%s: %s is on other data than the server", name, call[1])
			}
		}
	}
	unit := read(t, "systemd/coinslot.service")
	for _, want := range []string{"127.0.0.1:" + port, "StateDirectory=coinslot\n", "StateDirectoryMode=0700", "Restart=on-failure", "TimeoutStopSec=30"} {
		if !strings.Contains(unit, want) {
			t.Errorf("coinslot.service has no %s", want)
		}
	}
}

func TestSystemdTakesTheUnits(t *testing.T) {
	analyze := testneed.Program(t, "systemd-analyze")
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var units []string
	for _, name := range []string{"coinslot.service", "coinslot-backup.service", "coinslot-backup.timer"} {
		// What it starts must be there to be verified.
		text := strings.ReplaceAll(read(t, "systemd/"+name), "/usr/local/bin/coinslot", path)
		units = append(units, filepath.Join(dir, name))
		if err := os.WriteFile(units[len(units)-1], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "coinslot") { // of other units it may say what it likes
			t.Errorf("systemd-analyze verify: %s", line)
		}
	}
	if err != nil && !strings.Contains(string(out), "\n") {
		t.Errorf("systemd-analyze verify: %v", err)
	}
}

// documents reads all of a YAML file.
func documents(t *testing.T, name string) (all []map[string]any) {
	t.Helper()
	for d := yaml.NewDecoder(strings.NewReader(read(t, name))); ; {
		var one map[string]any
		switch err := d.Decode(&one); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, one)
	}
}

// at is what lies at a path in YAML, such as spec.ports.0.port.
func at(t *testing.T, in any, path string) any {
	t.Helper()
	for step := range strings.SplitSeq(path, ".") {
		switch v := in.(type) {
		case map[string]any:
			in = v[step]
		case []any:
			if i := int(step[0] - '0'); i < len(v) {
				in = v[i]
			} else {
				in = nil
			}
		}
	}
	if in == nil {
		t.Errorf("there is nothing at %s", path)
	}
	return in
}

func TestTheImageHoldsTheProgramAsItIs(t *testing.T) {
	file := read(t, "Dockerfile")
	variables(t, "Dockerfile", file)
	module, err := os.ReadFile(repository + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindSubmatch(module)
	if !strings.Contains(file, "FROM golang:"+string(version[1])+" AS build") {
		t.Errorf("the image is not built by Go %s", version[1])
	}
	for _, want := range []string{"FROM scratch\n", "EXPOSE " + port, "COINSLOT_ADDR=:" + port, "COINSLOT_DATA=/data/", "VOLUME /data", "USER 65532:65532", "CGO_ENABLED=0", `ENTRYPOINT ["/coinslot"]`, `CMD ["serve"]`} {
		if !strings.Contains(file, want) {
			t.Errorf("the Dockerfile has no %s", want)
		}
	}
}

func TestComposeRunsTheImage(t *testing.T) {
	file := documents(t, "compose.yaml")[0]
	variables(t, "compose.yaml", read(t, "compose.yaml"))
	service := at(t, file, "services.coinslot")
	if got := at(t, service, "ports.0"); got != "127.0.0.1:"+port+":"+port {
		t.Errorf("the port is %v", got)
	}
	if got := at(t, service, "volumes.0"); got != "data:/data" {
		t.Errorf("the volume is %v", got)
	}
	built := filepath.Join(examples, at(t, service, "build.context").(string), at(t, service, "build.dockerfile").(string))
	if _, err := os.Stat(built); err != nil {
		t.Error(err)
	}
	check := at(t, service, "healthcheck.test").([]any)
	if !slices.Equal(check, []any{"CMD", "/coinslot", "games", "list"}) {
		t.Errorf("the health check is %v", check)
	}
}

func TestKubernetesRunsOneReplicaOfTheImage(t *testing.T) {
	kinds := map[string]map[string]any{}
	for _, one := range documents(t, "kubernetes/coinslot.yaml") {
		kinds[at(t, one, "kind").(string)] = one
	}
	set, service, ingress := kinds["StatefulSet"], kinds["Service"], kinds["Ingress"]
	if set == nil || service == nil || ingress == nil || len(kinds) != 3 {
		t.Fatalf("there are %d kinds", len(kinds))
	}
	if got := at(t, set, "spec.replicas"); got != 1 {
		t.Errorf("%v replicas on one SQLite file", got)
	}
	pod := at(t, set, "spec.template.spec")
	container := at(t, pod, "containers.0")
	var words []string
	for _, w := range at(t, container, "args").([]any) {
		words = append(words, w.(string))
	}
	commandLine(t, "coinslot.yaml", words)
	if got := words[slices.Index(words, "--addr")+1]; got != ":"+port {
		t.Errorf("it listens on %s", got)
	}
	if got := at(t, container, "ports.0.containerPort"); got != 8080 {
		t.Errorf("the container's port is %v", got)
	}
	wantDataDirectory(t, container, words)
	for path, want := range map[string]any{
		"securityContext.runAsUser": user, "securityContext.fsGroup": user, "securityContext.runAsNonRoot": true,
		"securityContext.fsGroupChangePolicy": "OnRootMismatch", "enableServiceLinks": false, "terminationGracePeriodSeconds": 30,
	} {
		if got := at(t, pod, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	operating, err := os.ReadFile(repository + "/docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for probe, path := range map[string]string{"livenessProbe": "/healthz", "readinessProbe": "/readyz", "startupProbe": "/healthz"} {
		if got := at(t, container, probe+".httpGet.path"); got != path || !bytes.Contains(operating, []byte("`"+path+"`")) {
			t.Errorf("%s asks %v", probe, got)
		}
	}
	for _, rule := range at(t, ingress, "spec.rules.0.http.paths").([]any) {
		path := at(t, rule, "path").(string)
		if slices.ContainsFunc([]string{"/metrics", "/healthz", "/readyz", "/admin"}, func(inner string) bool { return strings.HasPrefix(inner, path) || strings.HasPrefix(path, inner) }) {
			t.Errorf("the internet gets at %s", path)
		}
	}
}

// wantDataDirectory wants the server to be where commands within its container look for it,
// which know nothing of its arguments, and that to be below the volume, to which others can write.
func wantDataDirectory(t *testing.T, container any, serve []string) {
	t.Helper()
	data := regexp.MustCompile(`COINSLOT_DATA=(\S+)`).FindStringSubmatch(read(t, "Dockerfile"))[1]
	if set, ok := container.(map[string]any)["env"].([]any); ok {
		for _, v := range set {
			if at(t, v, "name") == "COINSLOT_DATA" {
				data = at(t, v, "value").(string)
			}
		}
	}
	if i := slices.Index(serve, "--data"); i >= 0 && serve[i+1] != data {
		t.Errorf("the server is in %s, and commands look for it in %s", serve[i+1], data)
	}
	if mount := at(t, container, "volumeMounts.0.mountPath").(string); !strings.HasPrefix(data, mount+"/") {
		t.Errorf("the data directory %s is the volume %s itself, or is elsewhere", data, mount)
	}
}

func TestKubernetesRunsReplicasOnPostgreSQL(t *testing.T) {
	kinds := map[string]map[string]any{}
	for _, one := range documents(t, "kubernetes/postgresql.yaml") {
		kinds[at(t, one, "kind").(string)] = one
	}
	for _, name := range regexp.MustCompile(`COINSLOT_[A-Z_]+[A-Z]`).FindAllString(read(t, "kubernetes/postgresql.yaml"), -1) {
		if !strings.Contains(help(t, "serve"), name) {
			t.Errorf("coinslot serve reads no %s", name)
		}
	}
	set := kinds["Deployment"]
	if set == nil || kinds["Service"] == nil || kinds["Ingress"] == nil || kinds["PodDisruptionBudget"] == nil || len(kinds) != 4 {
		t.Fatalf("there are %d kinds", len(kinds))
	}
	pod := at(t, set, "spec.template.spec")
	container := at(t, pod, "containers.0")
	var words []string
	for _, w := range at(t, container, "args").([]any) {
		words = append(words, w.(string))
	}
	commandLine(t, "postgresql.yaml", words)
	wantDataDirectory(t, container, words)
	for path, want := range map[string]any{
		"spec.strategy.rollingUpdate.maxUnavailable": 0, "spec.replicas": 3,
		"spec.template.spec.terminationGracePeriodSeconds": 40, // 5 of preStop, and twice 10 of the server
		"spec.template.spec.securityContext.runAsNonRoot":  true, "spec.template.spec.enableServiceLinks": false,
	} {
		if got := at(t, set, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	for probe, path := range map[string]string{"livenessProbe": "/healthz", "readinessProbe": "/readyz", "startupProbe": "/healthz"} {
		if got := at(t, container, probe+".httpGet.path"); got != path {
			t.Errorf("%s asks %v", probe, got)
		}
	}
	for _, rule := range at(t, kinds["Ingress"], "spec.rules.0.http.paths").([]any) {
		path := at(t, rule, "path").(string)
		if slices.ContainsFunc([]string{"/metrics", "/healthz", "/readyz", "/admin"}, func(inner string) bool { return strings.HasPrefix(inner, path) || strings.HasPrefix(path, inner) }) {
			t.Errorf("the internet gets at %s", path)
		}
	}
}

func TestComposeRunsTwoServersOnPostgreSQL(t *testing.T) {
	file := documents(t, "compose.postgresql.yaml")[0]
	proxy := read(t, "nginx.conf")
	for _, name := range []string{"coinslot-1", "coinslot-2"} {
		at(t, file, "services."+name+".environment.COINSLOT_DATABASE")
		if !strings.Contains(proxy, "server "+name+":"+port+" ") {
			t.Errorf("nginx knows no %s", name)
		}
	}
	known := help(t, "serve")
	for name := range at(t, file, "services.coinslot-1.environment").(map[string]any) {
		if !strings.Contains(known, name) {
			t.Errorf("coinslot serve reads no %s", name)
		}
	}
	if strings.Contains(proxy, "admin") {
		t.Error("the proxy lets the operator's API through")
	}
}

func TestLitestreamReplicatesWhatTheServerKeeps(t *testing.T) {
	file := documents(t, "litestream.yml")[0]
	var paths []string
	for _, db := range at(t, file, "dbs").([]any) {
		paths = append(paths, at(t, db, "path").(string))
		if url := at(t, db, "replica.url").(string); !strings.HasPrefix(url, "s3://BUCKET/") {
			t.Errorf("it goes to %s", url)
		}
	}
	if !slices.Equal(paths, []string{"/var/lib/coinslot/coinslot.db", "/var/lib/coinslot/sandbox.db"}) {
		t.Errorf("it replicates %v", paths)
	}
}

// What the examples' guide names is there, and what is there is named.
func TestTheGuideNamesEveryExample(t *testing.T) {
	guide := read(t, "README.md")
	linked := map[string]bool{"README.md": true, "Dockerfile.dockerignore": true}
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(guide, -1) {
		linked[filepath.Clean(link[1])] = true
		if _, err := os.Stat(examples + link[1]); err != nil {
			t.Error(err)
		}
	}
	err := filepath.WalkDir(examples, func(path string, entry os.DirEntry, err error) error {
		if name, relErr := filepath.Rel(examples, path); err == nil && relErr == nil && !entry.IsDir() && !linked[name] {
			t.Errorf("the guide does not name %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

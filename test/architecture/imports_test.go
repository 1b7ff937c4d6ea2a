// Package architecture holds the tree to its own plan: who may import whom, and why.
package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/coinslot/coinslot"
	root     = "../.."
	anything = "..."
)

// A line of the plan: a room, which rooms of ours it may import, which modules of
// others, and why no more than that. Names are separated by spaces, and one that ends
// in /... stands for all below it too.
type line struct {
	room, ours, others string
	why                string
}

// plan has a line for every room. The standard library is ruled by never and only.
var plan = []line{
	{"internal/pay", "", "", "the domain is pure: the standard library and nothing else"},
	{"internal/store", "internal/pay", "", "the contract of storage knows the domain's words and no engine"},
	{"internal/store/storetest", "internal/pay internal/store", "github.com/google/go-cmp pgregory.net/rapid", "the contract as tests knows the contract and no store"},
	{"internal/store/sqlstore", "internal/pay internal/store", "", "the statements are for every engine, so they know no driver"},
	{"internal/store/sqlite", "internal/pay internal/store internal/store/sqlstore", "modernc.org/sqlite github.com/pressly/goose/v3", "the one room that knows SQLite, and no other engine"},
	{"internal/store/postgres", "internal/pay internal/store internal/store/sqlstore", "github.com/jackc/pgx/v5 github.com/pressly/goose/v3", "the one room that knows PostgreSQL, and no other engine"},
	{"internal/store/transfer", "internal/store/sqlstore", "", "it moves rows and compares them, and knows neither an engine nor what the rows mean"},
	{"internal/provider", "internal/pay", "", "the contract with whoever moves the money; a provider cannot write state"},
	{"internal/provider/providertest", "internal/pay internal/provider", "github.com/google/go-cmp pgregory.net/rapid", "the contract as tests knows the contract and no provider"},
	{"internal/provider/sandbox", "internal/clock internal/pay internal/provider", "", "a provider cannot write state: it says what came of a charge"},
	{"internal/gateway", "internal/clock internal/pay internal/provider internal/store", "", "the use cases know neither who calls nor how anything is stored"},
	{"internal/clock", "", "", "it tells the time and waits for it, and knows nothing of what is due"},
	{"internal/vault", "", "", "it seals secrets and knows nothing of what they are for"},
	{"internal/safehttp", "", "", "it dials public addresses only and knows nothing of what is sent"},
	{"internal/webhook", "internal/clock internal/pay internal/safehttp internal/store internal/vault", "github.com/standard-webhooks/standard-webhooks/libraries", "telling is not deciding: it reads what was written"},
	{"internal/streams", "internal/pay", "", "it bounds answers without an end and knows nothing of what is told in them"},
	{"internal/rpc/wirejson", "", "google.golang.org/protobuf", "it writes and reads any message, and knows none"},
	{"internal/rpc", "gen/... internal/gateway internal/pay internal/rpc/wirejson internal/store internal/streams", "connectrpc.com/authn connectrpc.com/connect google.golang.org/protobuf", "it converts, calls the use case and converts; of the store it knows queries and errors"},
	{"internal/rest", "internal/gateway internal/pay internal/rpc internal/rpc/wirejson", "connectrpc.com/authn connectrpc.com/vanguard google.golang.org/genproto/googleapis/api google.golang.org/protobuf", "the REST paths are the RPC handlers, transcoded; it only asks who calls before it reads"},
	{"internal/look", "", "", "colours and sizes for every room that has pages, which need not know of each other"},
	{"internal/checkout", "internal/gateway internal/look internal/pay internal/streams", "github.com/bojanz/currency golang.org/x/text", "the page goes through the use cases like every caller"},
	{"internal/inbox", "internal/gateway internal/look internal/pay internal/webhook", "", "it shows what would be sent: it reads by use cases that know the sandbox only, signs as the relay does, and changes nothing"},
	{"internal/server", "gen/... internal/gateway internal/pay internal/rest internal/rpc internal/streams", "connectrpc.com/connect connectrpc.com/cors connectrpc.com/grpchealth connectrpc.com/grpcreflect github.com/prometheus/client_golang github.com/rs/cors golang.org/x/time google.golang.org/protobuf", "it mounts handlers on one port and decides nothing"},
	{"internal/config", "", "", "flags and environment become values; what they mean is for others"},
	{"internal/installation", "internal/checkout internal/clock internal/gateway internal/inbox internal/pay internal/provider internal/provider/sandbox internal/rest internal/rpc internal/safehttp internal/server internal/store internal/vault internal/webhook", "github.com/prometheus/client_golang", "it puts the rooms together on whatever store it is given"},
	{"internal/bench", "gen/... internal/installation internal/pay internal/provider/sandbox internal/rpc internal/safehttp internal/server internal/store internal/vault internal/webhook", "connectrpc.com/connect google.golang.org/protobuf", "it measures the whole on whatever store it is given"},
	{"internal/openapi", "internal/pay", "github.com/cockroachdb/datadriven go.yaml.in/yaml/v3 google.golang.org/genproto/googleapis/api google.golang.org/protobuf", "it runs while gen is being replaced, so it may import nothing that imports gen"},
	{"internal/openapi/protoc-gen-openapi", "internal/openapi", "google.golang.org/protobuf", "buf runs it; the server never does"},
	{"internal/testneed", "", "", "it says what a test needs of the machine, and nothing of Coinslot"},
	{"gen/...", "gen/...", "connectrpc.com/connect google.golang.org/genproto/googleapis/api google.golang.org/protobuf", "generated from the contract, which knows nothing of who serves it"},
	{"docs/receiver", "", "github.com/standard-webhooks/standard-webhooks/libraries", "an example to copy: it needs nothing that its reader lacks"},
	{"sdk/go", "gen/...", "connectrpc.com/connect github.com/google/uuid google.golang.org/protobuf", "a client is for strangers: it knows the contract and nothing of the server"},
	{"cmd/coinslot", anything, anything, "main knows all, so that nobody else needs to"},
	{"test/...", anything, anything, "black-box tests run the whole"},
}

// A ban is what a room never imports of the standard library.
type ban struct{ room, imports, why string }

var never = []ban{
	{"internal/pay", "context database/sql io/fs log math/rand crypto/rand net/http os os/exec io/ioutil syscall testing", "it does no I/O; ids and time are arguments; it returns and does not report"},
	{"internal/store", "database/sql net/http log os", "the contract knows no SQL and does nothing by itself"},
	{"internal/store/sqlstore", "net/http os", "statements run on what they are given"},
	{"internal/gateway", "net/http html/template os", "use cases do not know who calls"},
	{"internal/provider", "net/http os log", "the contract does nothing by itself"},
	{"internal/rpc", "html/template os", "it converts, calls and converts"},
	{"internal/checkout", "os", "its pages are embedded"},
	{"internal/inbox", "os", "its pages are embedded"},
	{"internal/config", "os net/http", "it is handed arguments and environment, so that tests can hand it others"},
}

// A privilege is what only some rooms import.
type privilege struct{ imports, rooms, why string }

var only = []privilege{
	{"database/sql", "internal/store/sqlite internal/store/postgres test/...", "there is no way around the contract of the store"},
	{module + "/internal/store/sqlite", "cmd/coinslot test/...", "who picks the engine is main; all others take any store"},
	{module + "/internal/store/postgres", "cmd/coinslot test/...", "who picks the engine is main; all others take any store"},
	{"modernc.org", "internal/store/sqlite test/...", "one room knows the driver"},
	{"github.com/jackc/pgx", "internal/store/postgres test/...", "one room knows the driver"},
	{"github.com/pressly/goose", "internal/store/sqlite internal/store/postgres test/...", "one room for each engine migrates it"},
	{"math/rand", "internal/store/postgres internal/webhook sdk/go test/... internal/store/storetest internal/provider/providertest", "only jitter may be predictable"},
	{"testing", "internal/store/storetest internal/provider/providertest internal/testneed test/...", "the binary carries no tests"},
	{module + "/test", "test/...", "what is made for tests is for tests"},
	{module + "/internal/store/storetest", "test/...", "what is made for tests is for tests"},
	{module + "/internal/provider/providertest", "test/...", "what is made for tests is for tests"},
	{module + "/internal/testneed", "test/...", "what is made for tests is for tests"},
	{"unsafe reflect", "gen/...", "what needs them is generated"},
	{module + "/internal/openapi", "internal/openapi/protoc-gen-openapi test/...", "the server carries the document and not what writes it"},
	{"os/exec plugin", "internal/bench internal/testneed test/...", "the server starts no programs; only the benchmark starts itself"},
}

// refusals lists what is wrong with a room's import: the room, the import and the
// reason. known is false where the plan has no line for the room.
func refusals(room, imported string) (why []string, known bool) {
	at := slices.IndexFunc(plan, func(l line) bool { return covers(l.room, room) })
	if at < 0 {
		return nil, false
	}
	refuse := func(reason string) { why = append(why, room+" imports "+imported+", but must not: "+reason) }

	l := plan[at]
	switch own, isOurs := strings.CutPrefix(imported, module+"/"); {
	case isOurs && !listed(l.ours, own, false):
		refuse(l.why)
	case !isOurs && isThirdParty(imported) && !listed(l.others, imported, true):
		refuse(l.why)
	}
	for _, b := range never {
		if covers(b.room, room) && listed(b.imports, imported, true) {
			refuse(b.why)
		}
	}
	for _, p := range only {
		if listed(p.imports, imported, true) && !listed(p.rooms, room, false) {
			refuse(p.why)
		}
	}
	return why, true
}

// listed says whether a name is one of those in a list, or with below, lies below one.
func listed(list, name string, below bool) bool {
	return slices.ContainsFunc(strings.Fields(list), func(l string) bool {
		return covers(l, name) || below && strings.HasPrefix(name, l+"/")
	})
}

func covers(pattern, name string) bool {
	above, all := strings.CutSuffix(pattern, anything)
	return pattern == name || all && strings.HasPrefix(name+"/", above)
}

func isThirdParty(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return strings.Contains(first, ".")
}

func TestEveryImportIsInThePlan(t *testing.T) {
	found := rooms(t)
	for _, r := range slices.Sorted(maps.Keys(found)) {
		for _, imported := range found[r].imports {
			why, known := refusals(r, imported)
			if !known {
				t.Errorf("%s is in no line of the plan: add one that says whom it may import, and why no more", r)
				break
			}
			for _, w := range why {
				t.Error(w)
			}
		}
	}
}

func TestEveryRoomIsInThePlanAndEveryLineHasARoom(t *testing.T) {
	found := rooms(t)
	for r := range found {
		if n := linesFor(r); n != 1 {
			t.Errorf("%s is in %d lines of the plan, want 1", r, n)
		}
	}
	for _, l := range plan {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(found)), func(r string) bool { return covers(l.room, r) }) {
			t.Errorf("the plan has a line for %s, which is not there", l.room)
		}
		if l.why == "" {
			t.Errorf("the plan gives no reason for %s", l.room)
		}
	}
}

func linesFor(room string) (n int) {
	for _, l := range plan {
		if covers(l.room, room) {
			n++
		}
	}
	return n
}

// TestTheRulesRefuse tries what the plan forbids, so that a rule that has lost its
// teeth is noticed.
func TestTheRulesRefuse(t *testing.T) {
	for _, tt := range []struct{ room, imported string }{
		{"internal/pay", "context"},
		{"internal/pay", "database/sql"},
		{"internal/pay", "net/http"},
		{"internal/pay", "net/http/httputil"},
		{"internal/pay", "crypto/rand"},
		{"internal/pay", "math/rand"},
		{"internal/pay", "math/rand/v2"},
		{"internal/pay", "log"},
		{"internal/pay", "log/slog"},
		{"internal/pay", "os"},
		{"internal/pay", "io/fs"},
		{"internal/pay", "github.com/google/uuid"},
		{"internal/pay", module + "/internal/store"},
		{"internal/store", "database/sql"},
		{"internal/store", module + "/internal/store/sqlstore"},
		{"internal/store/storetest", module + "/internal/store/sqlite"},
		{"internal/store/sqlstore", "modernc.org/sqlite"},
		{"internal/store/sqlstore", "database/sql"},
		{"internal/gateway", "net/http"},
		{"internal/gateway", "connectrpc.com/connect"},
		{"internal/gateway", module + "/gen/pay/v1"},
		{"internal/gateway", module + "/internal/rpc"},
		{"internal/gateway", module + "/internal/store/sqlite"},
		{"internal/gateway", module + "/internal/store/postgres"},
		{"internal/store/sqlite", "github.com/jackc/pgx/v5"},
		{"internal/store/postgres", "modernc.org/sqlite"},
		{"internal/store/postgres", module + "/internal/store/sqlite"},
		{"internal/store/transfer", module + "/internal/store/sqlite"},
		{"internal/store/transfer", module + "/internal/store/postgres"},
		{"cmd/coinslot", "github.com/jackc/pgx/v5"},
		{"internal/provider", module + "/internal/store"},
		{"internal/provider/sandbox", module + "/internal/store"},
		{"internal/provider/sandbox", module + "/internal/gateway"},
		{"internal/webhook", module + "/internal/gateway"},
		{"internal/webhook", module + "/internal/provider"},
		{"internal/rpc", module + "/internal/store/sqlite"},
		{"internal/rpc", "database/sql"},
		{"internal/rest", module + "/internal/store"},
		{"internal/rest", module + "/internal/provider"},
		{"internal/checkout", module + "/internal/store"},
		{"internal/checkout", "database/sql"},
		{"internal/inbox", module + "/internal/store"},
		{"internal/inbox", module + "/internal/checkout"},
		{"internal/server", module + "/internal/store/sqlite"},
		{"internal/installation", module + "/internal/store/sqlite"},
		{"internal/vault", module + "/internal/pay"},
		{"sdk/go", module + "/internal/pay"},
		{"cmd/coinslot", "database/sql"},
		{"cmd/coinslot", "modernc.org/sqlite"},
		{"internal/openapi", module + "/gen/pay/v1"},
		{"internal/openapi", module + "/internal/rpc"},
		{"cmd/coinslot", module + "/internal/openapi"},
		{"internal/server", module + "/internal/openapi"},
		{"cmd/coinslot", "testing"},
		{"cmd/coinslot", module + "/test/coinslottest"},
		{"gen/pay/v1", module + "/internal/pay"},
	} {
		why, known := refusals(tt.room, tt.imported)
		if !known || len(why) == 0 {
			t.Errorf("%s may import %s", tt.room, tt.imported)
			continue
		}
		for _, w := range why {
			if _, reason, ok := strings.Cut(w, tt.room+" imports "+tt.imported+", but must not: "); !ok || reason == "" {
				t.Errorf("the refusal does not name the room, the import and the reason: %s", w)
			}
		}
	}
	if _, known := refusals("internal/misc", "fmt"); known {
		t.Error("a room that is in no line passes for one of the plan")
	}
}

// refusedNames say nothing of what is inside, so anything ends up inside.
var refusedNames = strings.Fields("common util utils helper helpers misc shared model models types base manager pkg")

func TestNoPackageHasANameThatSaysNothing(t *testing.T) {
	for r, found := range rooms(t) {
		for _, name := range append(strings.Split(r, "/"), found.name) {
			if slices.Contains(refusedNames, name) {
				t.Errorf("%s is called %q, which says nothing of what is in it", r, name)
			}
		}
	}
}

// A room is a package as its files say, those for other systems included.
type room struct {
	name    string
	imports []string // of what is not a test, sorted
}

// rooms reads every package of the module by its path below the module. The files
// are read here and not by the go command, so that a cached result is never stale.
func rooms(t *testing.T) map[string]room {
	t.Helper()
	found := map[string]room{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && skipped(file):
			return filepath.SkipDir
		case d.IsDir() || path.Ext(d.Name()) != ".go":
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		r := found[filepath.ToSlash(dir)]
		found[filepath.ToSlash(dir)] = r.with(t, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("only %d packages below %s", len(found), root)
	}
	return found
}

// with adds what one file says. A test says only what the package is called.
func (r room) with(t *testing.T, file string) room {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	if r.name == "" {
		r.name = strings.TrimSuffix(parsed.Name.Name, "_test")
	}
	if strings.HasSuffix(file, "_test.go") {
		return r
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		r.imports = append(r.imports, imported)
	}
	slices.Sort(r.imports)
	r.imports = slices.Compact(r.imports)
	return r
}

// skipped are the directories that the go command skips too: hidden ones, test data,
// what npm installed, and modules of their own.
func skipped(dir string) bool {
	name := filepath.Base(dir)
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return name[0] == '.' || name[0] == '_' || name == "testdata" || name == "node_modules" || err == nil
}

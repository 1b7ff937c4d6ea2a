package protocols

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/testneed"
)

// grpcurl knows nothing of Coinslot but what reflection tells it.
type grpcurl struct {
	t       *testing.T
	program string
	address string
}

func openGRPCurl(t *testing.T, s *shop) grpcurl {
	t.Helper()
	found, err := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../../tools.mod", "-n", "grpcurl").Output()
	if err != nil {
		testneed.Lacks(t, "grpcurl")
	}
	return grpcurl{t, strings.TrimSpace(string(found)), strings.TrimPrefix(s.plain.URL, "http://")}
}

func (g grpcurl) run(args ...string) (stdout, stderr string, err error) {
	g.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(g.t.Context(), g.program, append([]string{"-plaintext"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func (g grpcurl) must(args ...string) string {
	g.t.Helper()
	out, errs, err := g.run(args...)
	if err != nil {
		g.t.Fatalf("%v: %v\n%s", args, err, errs)
	}
	return out
}

func TestGRPCurlListsAndCallsByReflection(t *testing.T) {
	s := openShop(t)
	g := openGRPCurl(t, s)
	services := strings.Fields(g.must(g.address, "list"))
	if diff := cmp.Diff([]string{"grpc.health.v1.Health", "pay.v1.EventService", "pay.v1.PaymentService", "pay.v1.RefundService"}, services); diff != "" {
		t.Errorf("the services differ (-want +got):\n%s", diff)
	}
	for _, service := range services[1:] {
		var want []string
		for _, m := range methods() {
			if string(m.Parent().FullName()) == service {
				want = append(want, string(m.FullName()))
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, strings.Fields(g.must(g.address, "list", service))); diff != "" {
			t.Errorf("the methods of %s differ (-want +got):\n%s", service, diff)
		}
	}
	if described := g.must(g.address, "describe", "pay.v1.Session"); !strings.Contains(described, "string environment = 104;") {
		t.Errorf("the description is %s", described)
	}
	var made struct{ ID, URL string }
	out := g.must("-H", "Authorization: Bearer "+s.key, "-d",
		`{"game_id":"space_shooter","user_id":"player_42","item":{"title":"50 Gold Coins","price":499,"currency":"USD"},"return_url":"mygame://payment-complete"}`,
		g.address, "pay.v1.PaymentService/CreateSession")
	if err := json.Unmarshal([]byte(out), &made); err != nil || !strings.HasSuffix(made.URL, "/pay/"+made.ID) {
		t.Errorf("CreateSession answered %s, %v", out, err)
	}
	status := g.must("-H", "Authorization: Bearer "+s.key, "-d", `{"id":"`+made.ID+`"}`, g.address, "pay.v1.PaymentService/GetSessionStatus")
	if !strings.Contains(status, `"status": "pending"`) {
		t.Errorf("GetSessionStatus answered %s", status)
	}
	_, told, err := g.run("-d", "{}", g.address, "pay.v1.PaymentService/GetSession")
	if err == nil || !strings.Contains(told, "Unauthenticated") || !strings.Contains(told, `"code": "unauthorized"`) {
		t.Errorf("without a key, GetSession answered %v: %s", err, told)
	}
}

func TestGRPCHealthIsServingUntilTheServerDrains(t *testing.T) {
	s := openShop(t)
	g := openGRPCurl(t, s)
	check := func(service string) string {
		return g.must("-d", `{"service":"`+service+`"}`, g.address, "grpc.health.v1.Health/Check")
	}
	for _, service := range []string{"", "pay.v1.PaymentService"} {
		if got := check(service); !strings.Contains(got, `"SERVING"`) {
			t.Errorf("the health of %q is %s", service, got)
		}
	}
	if _, told, err := g.run("-d", `{"service":"pay.v2.Nothing"}`, g.address, "grpc.health.v1.Health/Check"); err == nil || !strings.Contains(told, "NotFound") {
		t.Errorf("the health of an unknown service is %v: %s", err, told)
	}
	s.Drain()
	if got := check(""); !strings.Contains(got, `"NOT_SERVING"`) {
		t.Errorf("the health of a draining server is %s", got)
	}
}

package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/coinslot/coinslot/test/coinslottest"
)

// publicServices are those of the contract, each with a method that it has.
func publicServices() map[string]string {
	found := map[string]string{}
	protoregistry.GlobalFiles.RangeFilesByPackage("pay.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			found[string(service.FullName())] = string(service.Methods().Get(0).Name())
		}
		return true
	})
	return found
}

// mounted says whether anything answers a service's calls.
func mounted(t *testing.T, i *coinslottest.Installation, service, method string) bool {
	got := ask(t, i, "POST", "/"+service+"/"+method, "Content-Type", "application/grpc-web+json")
	return got.Header().Get("Grpc-Status") != "12" // unimplemented
}

func TestHealthKnowsWhatIsMounted(t *testing.T) {
	i := coinslottest.Start(t)
	services := publicServices()
	if len(services) < 2 {
		t.Fatalf("the contract has only %v", services)
	}
	for service, method := range services {
		got := health(t, i, service)
		if known := got == "SERVING"; known != mounted(t, i, service, method) {
			t.Errorf("%s is mounted: %v, but health says %q", service, !known, got)
		}
	}
	if got := health(t, i, ""); got != "SERVING" {
		t.Errorf("of the whole, health says %q", got)
	}
	i.Drain()
	if got := health(t, i, "pay.v1.PaymentService"); got != "NOT_SERVING" {
		t.Errorf("while it shuts down, health says %q", got)
	}
}

// health is what health says of a service.
func health(t *testing.T, i *coinslottest.Installation, service string) string {
	t.Helper()
	got := askWith(t, i, "POST", "/grpc.health.v1.Health/Check", `{"service":"`+service+`"}`, "Content-Type", "application/json")
	var told struct{ Status, Code string }
	if err := json.Unmarshal(got.Body.Bytes(), &told); err != nil {
		t.Fatalf("%s: %v", got.Body, err)
	}
	return strings.TrimPrefix(told.Status+told.Code, "SERVING_STATUS_")
}

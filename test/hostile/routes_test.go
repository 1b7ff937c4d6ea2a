package hostile

import (
	"net/http"
	"testing"
)

func TestWrongMethodsAreRefused(t *testing.T) {
	x := open(t)
	for _, verb := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "post", "X"} {
		t.Run(verb, func(t *testing.T) {
			for _, path := range []string{createSession, restSessions + "/sess_1"} {
				if verb == "GET" && path != createSession {
					continue // that one can be got
				}
				got := x.send(t, verb, path, goodOrder)
				got.is(t, 405, "invalid_request")
				if got.header.Get("Allow") == "" {
					t.Errorf("%s %s: the answer does not say what is allowed", verb, path)
				}
			}
		})
	}
	t.Run("HEAD", func(t *testing.T) {
		if got := x.send(t, "HEAD", createSession, ""); got.status != 405 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a write by Connect GET", func(t *testing.T) {
		got := x.send(t, "GET", createSession+"?connect=v1&encoding=json&message=%7B%7D", "")
		if got.status != 405 || got.header.Get("Allow") != "POST" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a POST that calls itself a GET", func(t *testing.T) {
		x.send(t, "POST", restSessions+"/sess_1", goodOrder, "X-HTTP-Method-Override: GET").is(t, 405, "invalid_request")
	})
}

func TestUnknownMethodsAndPathsAreRefused(t *testing.T) {
	x := open(t)
	for _, path := range []string{
		"/pay.v1.PaymentService/Nothing", "/pay.v1.PaymentService/createsession", "/pay.v1.PaymentService/", "/pay.v1.PaymentService/CreateSession/",
		"/pay.v1.Nothing/CreateSession", "/pay.v1.", "/pay.v2.PaymentService/CreateSession", "/admin.v1.AdminService/Nothing", "/nothing", "/",
		"/pay.v1.PaymentService/Create%00Session", "/pay.v1.PaymentService/%FF%FE", "/%0d%0aSet-Cookie:%20a=b",
	} {
		t.Run(path, func(t *testing.T) {
			x.post(t, path, goodOrder).is(t, 404, "unimplemented")
			got := x.post(t, path, goodOrder, "Content-Type: application/proto")
			got.is(t, 404, "unimplemented")
			if got.header.Get("Set-Cookie") != "" {
				t.Error("a line break in the path got into the answer's header")
			}
			x.send(t, "GET", path, "").is(t, 404, "not_found")
		})
	}
	for _, path := range []string{"/v1/", "/v1/nothing", "/v1/sessions/sess_1/nothing", "/v2/sessions"} {
		t.Run(path, func(t *testing.T) {
			x.send(t, "GET", path, "").is(t, 404, "not_found")
		})
	}
	t.Run("over gRPC", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.url+"/pay.v1.PaymentService/Nothing", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/grpc-web")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.Header.Get("Grpc-Status") != unimplemented {
			t.Errorf("got %v", res.Header)
		}
	})
}

func TestWrongContentTypesAreRefused(t *testing.T) {
	x := open(t)
	for _, contentType := range []string{
		"text/plain", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
		"application/json; charset=latin-1", "application/json; charset=utf-16", "application/jsonp", "application/json;charset", "json",
		"application/grpc-web-text", "application/connect+json", "application/json, application/proto", "*/*", "\x80",
	} {
		t.Run(contentType, func(t *testing.T) {
			x.post(t, createSession, goodOrder, "Content-Type: "+contentType).is(t, 415, "invalid_request")
			if contentType != "application/connect+json" && contentType != "application/grpc-web-text" {
				x.post(t, restSessions, goodOrder, "Content-Type: "+contentType).is(t, 415, "invalid_request")
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		x.post(t, createSession, goodOrder, "Content-Type").is(t, 415, "invalid_request")
	})
	t.Run("JSON that is called protobuf", func(t *testing.T) {
		x.post(t, createSession, goodOrder, "Content-Type: application/proto").is(t, 400, "invalid_request")
	})
	t.Run("an unknown encoding", func(t *testing.T) {
		x.post(t, createSession, goodOrder, "Content-Encoding: br").is(t, 501, "unimplemented")
		x.post(t, restSessions, goodOrder, "Content-Encoding: br").is(t, 415, "invalid_request")
	})
	t.Run("an unknown version of Connect", func(t *testing.T) {
		x.post(t, createSession, goodOrder, "Connect-Protocol-Version: 99").is(t, 400, "invalid_argument")
	})
	t.Run("a timeout in words", func(t *testing.T) {
		x.post(t, createSession, goodOrder, "Connect-Timeout-Ms: soon").is(t, 400, "invalid_argument")
	})
}

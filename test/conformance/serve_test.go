package conformance

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/internal/server"
)

// lifetime is after how long a server ends that the suite has forgotten.
const lifetime = 3 * time.Minute

// serve is the program that the suite starts: it reads what kind of server is wanted,
// serves, and writes where.
func serve(contractFile string, in io.Reader, out io.Writer) error {
	contract, err := load(contractFile)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, lifetime)
	defer cancel()

	wanted := contract.message("ServerCompatRequest")
	if err := readMessage(in, wanted); err != nil {
		return fmt.Errorf("read what server is wanted: %w", err)
	}
	handler, err := contract.handler(int(get(wanted, "message_receive_limit").Uint()))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	at := listener.Addr().(*net.TCPAddr)
	started := contract.message("ServerCompatResponse")
	set(started, "host", at.IP.String())
	set(started, "port", uint32(at.Port))

	web := server.HTTP(handler, slog.New(slog.DiscardHandler))
	failed := make(chan error, 1)
	if get(wanted, "use_tls").Bool() {
		creds := get(wanted, "server_creds").Message()
		certificate, err := tls.X509KeyPair(get(creds, "cert").Bytes(), get(creds, "key").Bytes())
		if err != nil {
			return err
		}
		web.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
		set(started, "pem_cert", get(creds, "cert").Bytes())
		go func() { failed <- web.ServeTLS(listener, "", "") }()
	} else {
		go func() { failed <- web.Serve(listener) }()
	}
	if err := writeMessage(out, started); err != nil {
		return err
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = web.Close()
	}
	return err
}

// handler is our server with the suite's service beside ours. It differs only in what
// the suite's contract has otherwise: how long a message may be, that nobody needs a
// key, and that errors carry no detail of ours.
func (c contract) handler(limit int) (http.Handler, error) {
	log := slog.New(slog.DiscardHandler)
	wire := rpc.Wire{Log: log, Most: limit}
	anybody := func(r *http.Request) (context.Context, error) { return r.Context(), nil }
	return server.New(server.Options{
		Services: []rpc.Service{{Descriptor: c.service, Handler: wire.Door(c.procedures(wire.Options()), anybody)}},
		Admin:    adminv1connect.UnimplementedAdminServiceHandler{},
		Page:     http.NotFoundHandler(), PageMount: "/pay",
		Registry: prometheus.NewRegistry(), Logger: log,
	})
}

// readMessage reads a message after its length in four bytes.
func readMessage(in io.Reader, m *dynamicpb.Message) error {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return err
	}
	raw := make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(in, raw); err != nil {
		return err
	}
	return proto.Unmarshal(raw, m)
}

func writeMessage(out io.Writer, m *dynamicpb.Message) error {
	raw, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	_, err = out.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...))
	return err
}

func get(m protoreflect.Message, name protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(name))
}

func has(m protoreflect.Message, name protoreflect.Name) bool {
	return m.Has(m.Descriptor().Fields().ByName(name))
}

func set(m protoreflect.Message, name protoreflect.Name, value any) {
	m.Set(m.Descriptor().Fields().ByName(name), protoreflect.ValueOf(value))
}

// inside is the message in a field, which is made where there is none.
func inside(m protoreflect.Message, name protoreflect.Name) protoreflect.Message {
	return m.Mutable(m.Descriptor().Fields().ByName(name)).Message()
}

// more appends a message to a list, and returns it.
func more(m protoreflect.Message, name protoreflect.Name) protoreflect.Message {
	return m.Mutable(m.Descriptor().Fields().ByName(name)).List().AppendMutable().Message()
}

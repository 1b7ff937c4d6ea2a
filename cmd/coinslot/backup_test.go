package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

// spoiler is a server whose backups are not what they should be.
type spoiler struct {
	adminv1connect.UnimplementedAdminServiceHandler
	pieces []*adminv1.BackupResponse
	then   error
}

func (s spoiler) Backup(_ context.Context, _ *adminv1.BackupRequest, stream *connect.ServerStream[adminv1.BackupResponse]) error {
	for _, piece := range s.pieces {
		if err := stream.Send(piece); err != nil {
			return err
		}
	}
	return s.then
}

func TestABackupThatDidNotArriveWholeIsNotKept(t *testing.T) {
	sum := func(text string) []byte { s := sha256.Sum256([]byte(text)); return s[:] }
	piece := func(file, data string, size int64, sum []byte) *adminv1.BackupResponse {
		return &adminv1.BackupResponse{File: file, Data: []byte(data), Size: size, Sha256: sum}
	}
	for _, test := range []struct {
		what, want string
		server     spoiler
	}{
		{"nothing came", "the server sent no database", spoiler{}},
		{"the sandbox's books alone", "the server sent no database", spoiler{pieces: []*adminv1.BackupResponse{piece("sandbox", "x", 1, sum("x"))}}},
		{"a piece is another", "is not what the server sent", spoiler{pieces: []*adminv1.BackupResponse{piece("database", "x", 2, nil), piece("database", "y", 2, sum("xx"))}}},
		{"the end is missing", "ends in the middle of a file", spoiler{pieces: []*adminv1.BackupResponse{piece("database", "x", 2, nil)}}},
		{"it is shorter than it should be", "1 bytes of 2", spoiler{pieces: []*adminv1.BackupResponse{piece("database", "x", 2, sum("x"))}}},
		{"the server broke it off", "shutting down", spoiler{
			pieces: []*adminv1.BackupResponse{piece("database", "x", 2, nil)}, then: connect.NewError(connect.CodeUnavailable, errors.New("the server is shutting down"))}},
		{"a file that is not known", `has a file "moon" to copy`, spoiler{pieces: []*adminv1.BackupResponse{piece("moon", "x", 1, sum("x"))}}},
		{"what is no database", "cannot be read", spoiler{pieces: []*adminv1.BackupResponse{piece("database", strings.Repeat("hello", 1000), 5000, sum(strings.Repeat("hello", 1000)))}}},
	} {
		path, handler := adminv1connect.NewAdminServiceHandler(test.server)
		if !strings.HasPrefix(path, "/admin.v1.") {
			t.Fatal(path)
		}
		web := httptest.NewServer(handler)
		dir := t.TempDir()
		p := &printer{console: &console{out: io.Discard, err: io.Discard}}
		err := backup(t.Context(), p, &config.Care{Admin: config.Admin{URL: web.URL, Token: "t"}}, filepath.Join(dir, "x.db"))
		web.Close()
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.what, err, test.want)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: %s is left behind", test.what, left[0].Name())
		}
	}
}

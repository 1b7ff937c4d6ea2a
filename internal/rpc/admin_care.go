package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"

	"connectrpc.com/connect"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/gateway"
)

// Backup implements admin.v1.AdminService.
func (s *AdminServer) Backup(ctx context.Context, _ *adminv1.BackupRequest, stream *connect.ServerStream[adminv1.BackupResponse]) error {
	out := backupStream{send: stream.Send}
	err := s.gateway.Backup(ctx, out.take)
	if err == nil {
		err = out.end()
	}
	return err
}

// backupStream keeps each piece back until it knows whether it is its file's last.
type backupStream struct {
	send func(*adminv1.BackupResponse) error
	last *adminv1.BackupResponse
	sum  hash.Hash
}

func (b *backupStream) take(file string, piece []byte, whole int64) error {
	switch {
	case b.last == nil:
	case b.last.GetFile() != file:
		if err := b.end(); err != nil {
			return err
		}
	default:
		if err := b.send(b.last); err != nil {
			return err
		}
	}
	if b.last == nil {
		b.sum = sha256.New()
	}
	b.sum.Write(piece)
	b.last = &adminv1.BackupResponse{File: file, Data: bytes.Clone(piece), Size: whole}
	return nil
}

// end sends a file's last piece.
func (b *backupStream) end() error {
	if b.last == nil {
		return nil
	}
	b.last.Sha256 = b.sum.Sum(nil)
	defer func() { b.last = nil }()
	return b.send(b.last)
}

// Examine implements admin.v1.AdminService.
func (s *AdminServer) Examine(ctx context.Context, req *adminv1.ExamineRequest, stream *connect.ServerStream[adminv1.ExamineResponse]) error {
	return s.gateway.Examine(ctx, gateway.Examination{
		Quick: req.GetQuick(),
		Tell: func(f gateway.Finding) error {
			return stream.Send(&adminv1.ExamineResponse{Finding: FindingMessage(f)})
		},
		Progress: func(done, of int64) error {
			return stream.Send(&adminv1.ExamineResponse{SessionsDone: done, SessionsTotal: of})
		},
	})
}

// FindingMessage is a finding as it is told.
func FindingMessage(f gateway.Finding) *adminv1.Finding {
	return &adminv1.Finding{Check: f.Check, Verdict: string(f.Verdict), Found: f.Found, Advice: optional(f.Advice)}
}

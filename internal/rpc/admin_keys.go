package rpc

import (
	"context"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// CreateKey implements admin.v1.AdminService.
func (s *AdminServer) CreateKey(ctx context.Context, req *adminv1.CreateKeyRequest) (*adminv1.CreateKeyResponse, error) {
	expires, err := timeOf("expires_at", req.GetExpiresAt())
	if err != nil {
		return nil, err
	}
	key, text, err := s.gateway.CreateKey(ctx, pay.Key{
		Environment: pay.Environment(req.GetEnvironment()), Game: pay.GameID(req.GetGameId()),
		ReadOnly: req.GetReadOnly(), Label: req.GetLabel(), ExpiresAt: expires,
	})
	if err != nil {
		return nil, err
	}
	return &adminv1.CreateKeyResponse{Key: keyMessage(key), Secret: text}, nil
}

// ListKeys implements admin.v1.AdminService.
func (s *AdminServer) ListKeys(ctx context.Context, req *adminv1.ListKeysRequest) (*adminv1.ListKeysResponse, error) {
	env, err := environmentFilter(req.Environment)
	if err != nil {
		return nil, err
	}
	keys, err := s.gateway.Keys(ctx, gateway.KeyFilter{
		Game: pay.GameID(req.GetGameId()), Environment: env, Ended: req.GetIncludeEnded(),
	})
	out := &adminv1.ListKeysResponse{}
	for _, k := range keys {
		out.Keys = append(out.Keys, keyMessage(k))
	}
	return out, err
}

// RotateKey implements admin.v1.AdminService.
func (s *AdminServer) RotateKey(ctx context.Context, req *adminv1.RotateKeyRequest) (*adminv1.RotateKeyResponse, error) {
	overlap, err := overlapOf(req.GetOverlap())
	if err != nil {
		return nil, err
	}
	key, text, old, err := s.gateway.RotateKey(ctx, pay.KeyID(req.GetId()), overlap)
	if err != nil {
		return nil, err
	}
	return &adminv1.RotateKeyResponse{Key: keyMessage(key), Secret: text, OldKey: keyMessage(old)}, nil
}

// RevokeKey implements admin.v1.AdminService.
func (s *AdminServer) RevokeKey(ctx context.Context, req *adminv1.RevokeKeyRequest) (*adminv1.RevokeKeyResponse, error) {
	key, err := s.gateway.RevokeKey(ctx, pay.KeyID(req.GetId()))
	if err != nil {
		return nil, err
	}
	return &adminv1.RevokeKeyResponse{Key: keyMessage(key)}, nil
}

func keyMessage(k pay.Key) *adminv1.Key {
	return &adminv1.Key{
		Id: string(k.ID), Hint: k.Hint, Environment: string(k.Environment), GameId: string(k.Game),
		ReadOnly: k.ReadOnly, Label: k.Label, CreatedAt: timestamp(k.CreatedAt),
		ExpiresAt: timestamp(k.ExpiresAt), RevokedAt: timestamp(k.RevokedAt), LastUsedAt: timestamp(k.LastUsedAt),
	}
}

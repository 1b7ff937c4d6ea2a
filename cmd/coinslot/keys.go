package main

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var keysCreate = command{
	path: "keys create", brief: "make an API key for a game server",
	details: `The key is printed alone on standard output, this once: only its hash is kept.
A key sees one environment: sandbox, where nothing is charged, or production.`,
	example: "KEY=$(coinslot keys create --game space_shooter --environment sandbox)",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.CreateKeyRequest{}
		f.Flag("game", "ID", "the game that the key covers; without it, all games", config.Text(&req.GameId))
		f.Flag("environment", "NAME", "sandbox or production; required", config.Text(&req.Environment))
		f.Flag("read-only", "", "let the key read, and change nothing", config.Switch(&req.ReadOnly))
		f.Flag("label", "TEXT", "what to call the key", config.Text(&req.Label))
		f.Flag("expires-at", "TIME", "when it stops working, such as 2030-01-31T12:00:00Z; without it, never", timeFlag(&req.ExpiresAt))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, _ []string) error {
			res, err := admin.CreateKey(ctx, req)
			if err != nil {
				return err
			}
			return p.newKey(res, res.GetKey(), res.GetSecret())
		}
	}),
}

var keysList = command{
	path: "keys list", brief: "list API keys, newest first",
	details: "The keys themselves are not kept, so only their last four characters can be shown.",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.ListKeysRequest{}
		f.Flag("game", "ID", "only keys that cover this game", given(&req.GameId, config.Text))
		f.Flag("environment", "NAME", "only keys of sandbox or production", given(&req.Environment, config.Text))
		f.Flag("all", "", "revoked and expired keys too", config.Switch(&req.IncludeEnded))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, _ []string) error {
			res, err := admin.ListKeys(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				var rows [][]string
				for _, k := range res.GetKeys() {
					rows = append(rows, []string{
						k.GetId(), "…" + k.GetHint(), k.GetEnvironment(), or(k.GetGameId(), "all games"), keyRights(k), k.GetLabel(),
						moment(k.GetCreatedAt()), moment(k.GetLastUsedAt()), keyEnd(k),
					})
				}
				p.table([]string{"ID", "KEY", "ENVIRONMENT", "GAME", "MAY", "LABEL", "CREATED", "LAST USED", "ENDS"}, rows)
			})
		}
	}),
}

var keysRotate = command{
	path: "keys rotate", operands: "ID", brief: "replace an API key; both work for a while",
	details: "The new key is printed alone on standard output, this once. It has the old one's rights.",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.RotateKeyRequest{}
		f.Flag("overlap", "DURATION", "how long the old key still works, by default 24h", durationFlag(&req.Overlap))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			req.Id = operands[0]
			res, err := admin.RotateKey(ctx, req)
			if err != nil {
				return err
			}
			if !p.json {
				p.note("%s works until %s.", res.GetOldKey().GetId(), moment(res.GetOldKey().GetExpiresAt()))
			}
			return p.newKey(res, res.GetKey(), res.GetSecret())
		}
	}),
}

var keysRevoke = command{
	path: "keys revoke", operands: "ID", brief: "end an API key at once",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			res, err := admin.RevokeKey(ctx, &adminv1.RevokeKeyRequest{Id: operands[0]})
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.note("%s lets nobody in any more.", res.GetKey().GetId()) })
		}
	}),
}

func timeFlag(to **timestamppb.Timestamp) config.Reader {
	return config.Reader{Read: func(text string) error {
		var t time.Time
		err := config.Time(&t).Read(text)
		*to = timestamppb.New(t)
		return err
	}}
}

func (p *printer) newKey(answer proto.Message, k *adminv1.Key, secret string) error {
	return p.answer(answer, func() {
		p.note("Made %s: %s, %s, %s. The key is shown this once:", k.GetId(), k.GetEnvironment(), or(k.GetGameId(), "all games"), keyRights(k))
		p.line("%s", secret)
	})
}

func keyRights(k *adminv1.Key) string {
	if k.GetReadOnly() {
		return "read only"
	}
	return "read and write"
}

func keyEnd(k *adminv1.Key) string {
	if k.GetRevokedAt() != nil {
		return "revoked " + moment(k.GetRevokedAt())
	}
	return or(moment(k.GetExpiresAt()), "never")
}

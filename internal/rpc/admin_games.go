package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// CreateGame implements admin.v1.AdminService.
func (s *AdminServer) CreateGame(ctx context.Context, req *adminv1.CreateGameRequest) (*adminv1.CreateGameResponse, error) {
	game, err := newGame(req)
	if err != nil {
		return nil, err
	}
	if game, err = s.gateway.CreateGame(ctx, game); err != nil {
		return nil, err
	}
	game, secret, err := s.confirmSecret(ctx, game)
	return &adminv1.CreateGameResponse{Game: gameMessage(game), ConfirmSecret: secret}, err
}

// confirmSecret makes the secret that a game with a confirm_url is asked with, unless it
// has one.
func (s *AdminServer) confirmSecret(ctx context.Context, game pay.Game) (pay.Game, *string, error) {
	if game.ConfirmURL == "" || len(game.ConfirmSecret) > 0 {
		return game, nil, nil
	}
	game, secret, err := s.gateway.RotateConfirmSecret(ctx, game.ID, 0)
	return game, &secret, err
}

// RotateConfirmSecret implements admin.v1.AdminService.
func (s *AdminServer) RotateConfirmSecret(ctx context.Context, req *adminv1.RotateConfirmSecretRequest) (*adminv1.RotateConfirmSecretResponse, error) {
	overlap, err := overlapOf(req.Overlap)
	if err != nil {
		return nil, err
	}
	game, secret, err := s.gateway.RotateConfirmSecret(ctx, pay.GameID(req.GetGameId()), overlap)
	if err != nil {
		return nil, err
	}
	out := &adminv1.RotateConfirmSecretResponse{Secret: secret}
	if len(game.ConfirmSecret) > 1 {
		out.OldExpiresAt = timestamp(game.ConfirmSecret[1].ExpiresAt)
	}
	return out, nil
}

// ListGames implements admin.v1.AdminService.
func (s *AdminServer) ListGames(ctx context.Context, _ *adminv1.ListGamesRequest) (*adminv1.ListGamesResponse, error) {
	games, err := s.gateway.Games(ctx)
	if err != nil {
		return nil, err
	}
	out := &adminv1.ListGamesResponse{}
	for _, g := range games {
		out.Games = append(out.Games, gameMessage(g))
	}
	return out, nil
}

// GetGame implements admin.v1.AdminService.
func (s *AdminServer) GetGame(ctx context.Context, req *adminv1.GetGameRequest) (*adminv1.GetGameResponse, error) {
	game, err := s.gateway.Game(ctx, pay.GameID(req.GetId()))
	if err != nil {
		return nil, err
	}
	return &adminv1.GetGameResponse{Game: gameMessage(game)}, nil
}

// UpdateGame implements admin.v1.AdminService.
func (s *AdminServer) UpdateGame(ctx context.Context, req *adminv1.UpdateGameRequest) (*adminv1.UpdateGameResponse, error) {
	if err := checkTTL(req.SessionTtl); err != nil {
		return nil, err
	}
	game, err := s.gateway.UpdateGame(ctx, pay.GameID(req.GetId()), func(g *pay.Game) {
		gameSettings{req.Name, req.PaymentAttempts, req.Capture, req.SessionTtl, req.ConfirmUrl}.set(g)
		setList(&g.ReturnSchemes, req.ReturnUrlSchemes)
		setList(&g.ReturnHosts, req.ReturnUrlHosts)
		setList(&g.Currencies, req.Currencies)
	})
	if err != nil {
		return nil, err
	}
	game, secret, err := s.confirmSecret(ctx, game)
	return &adminv1.UpdateGameResponse{Game: gameMessage(game), ConfirmSecret: secret}, err
}

// newGame is the game that is asked for. It is checked here already, because a zero
// that was asked for is wrong, whereas the gateway takes it for a default.
func newGame(req *adminv1.CreateGameRequest) (pay.Game, error) {
	if err := checkTTL(req.SessionTtl); err != nil {
		return pay.Game{}, err
	}
	game := pay.Game{
		ID:            pay.GameID(req.GetId()),
		ReturnSchemes: req.GetReturnUrlSchemes(), ReturnHosts: req.GetReturnUrlHosts(),
		Currencies: textsAs[pay.Currency](req.GetCurrencies()),
	}.WithDefaults()
	gameSettings{req.Name, req.PaymentAttempts, req.Capture, req.SessionTtl, req.ConfirmUrl}.set(&game)
	return game, game.Check()
}

// gameSettings are the settings that can be absent from a request.
type gameSettings struct {
	name     *string
	attempts *int32
	capture  *string
	ttl      *durationpb.Duration
	confirm  *string
}

func (from gameSettings) set(g *pay.Game) {
	if from.name != nil {
		g.Name = *from.name
	}
	if from.attempts != nil {
		g.Attempts = int(*from.attempts)
	}
	if from.capture != nil {
		g.Capture = pay.CaptureMode(*from.capture)
	}
	if from.ttl != nil {
		g.SessionTTL = from.ttl.AsDuration()
	}
	if from.confirm != nil {
		g.ConfirmURL = *from.confirm
	}
}

func setList[T ~string](to *[]T, from *adminv1.StringList) {
	if from != nil {
		*to = textsAs[T](from.GetValues())
	}
}

func checkTTL(asked *durationpb.Duration) error {
	if asked == nil {
		return nil
	}
	_, err := durationOf("session_ttl", asked)
	return err
}

func gameMessage(g pay.Game) *adminv1.Game {
	return &adminv1.Game{
		Id: string(g.ID), Name: g.Name, PaymentAttempts: int32(g.Attempts), Capture: string(g.Capture),
		SessionTtl: durationpb.New(g.SessionTTL), ConfirmUrl: g.ConfirmURL,
		ReturnUrlSchemes: g.ReturnSchemes, ReturnUrlHosts: g.ReturnHosts, Currencies: texts(g.Currencies),
		CreatedAt: timestamp(g.CreatedAt), UpdatedAt: timestamp(g.UpdatedAt),
	}
}

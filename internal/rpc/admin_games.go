package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// CreateGame implements admin.v1.AdminService.
func (s *AdminServer) CreateGame(ctx context.Context, req *adminv1.CreateGameRequest) (*adminv1.CreateGameResponse, error) {
	game, pictures, err := newGame(req)
	if err != nil {
		return nil, err
	}
	if game, err = s.gateway.CreateGame(ctx, game, pictures...); err != nil {
		return nil, err
	}
	game, secret, err := s.confirmSecret(ctx, game)
	return &adminv1.CreateGameResponse{Game: s.convert.game(game), ConfirmSecret: secret}, err
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
		out.Games = append(out.Games, s.convert.game(g))
	}
	return out, nil
}

// GetGame implements admin.v1.AdminService.
func (s *AdminServer) GetGame(ctx context.Context, req *adminv1.GetGameRequest) (*adminv1.GetGameResponse, error) {
	game, err := s.gateway.Game(ctx, pay.GameID(req.GetId()))
	if err != nil {
		return nil, err
	}
	return &adminv1.GetGameResponse{Game: s.convert.game(game)}, nil
}

// UpdateGame implements admin.v1.AdminService.
func (s *AdminServer) UpdateGame(ctx context.Context, req *adminv1.UpdateGameRequest) (*adminv1.UpdateGameResponse, error) {
	if err := checkTTL(req.SessionTtl); err != nil {
		return nil, err
	}
	logo, pictures, err := logoOf(req.Logo)
	if err != nil {
		return nil, err
	}
	game, err := s.gateway.UpdateGame(ctx, pay.GameID(req.GetId()), func(g *pay.Game) {
		gameSettings{req.Name, req.PaymentAttempts, req.Capture, req.SessionTtl, req.ConfirmUrl}.set(g)
		gameLook{logo, req.AccentColor, req.SupportUrl}.set(g)
		setList(&g.ReturnSchemes, req.ReturnUrlSchemes)
		setList(&g.ReturnHosts, req.ReturnUrlHosts)
		setList(&g.Currencies, req.Currencies)
		setList(&g.EmbedOrigins, req.EmbedOrigins)
	}, pictures...)
	if err != nil {
		return nil, err
	}
	game, secret, err := s.confirmSecret(ctx, game)
	return &adminv1.UpdateGameResponse{Game: s.convert.game(game), ConfirmSecret: secret}, err
}

// newGame is the game that is asked for, and the picture that its settings name. It is
// checked here already, because a zero that was asked for is wrong, whereas the gateway
// takes it for a default.
func newGame(req *adminv1.CreateGameRequest) (pay.Game, []pay.Image, error) {
	if err := checkTTL(req.SessionTtl); err != nil {
		return pay.Game{}, nil, err
	}
	logo, pictures, err := logoOf(req.Logo)
	if err != nil {
		return pay.Game{}, nil, err
	}
	game := pay.Game{
		ID:            pay.GameID(req.GetId()),
		ReturnSchemes: req.GetReturnUrlSchemes(), ReturnHosts: req.GetReturnUrlHosts(),
		Currencies: textsAs[pay.Currency](req.GetCurrencies()), EmbedOrigins: req.GetEmbedOrigins(),
	}.WithDefaults()
	gameSettings{req.Name, req.PaymentAttempts, req.Capture, req.SessionTtl, req.ConfirmUrl}.set(&game)
	gameLook{logo, req.AccentColor, req.SupportUrl}.set(&game)
	return game, pictures, game.Check()
}

// logoOf reads a logo that may be absent, and the picture that is to be stored with it.
func logoOf(asked *string) (*pay.ImageRef, []pay.Image, error) {
	if asked == nil {
		return nil, nil, nil
	}
	ref, img, err := pay.ParseLogo(*asked)
	if img == nil {
		return &ref, nil, err
	}
	return &ref, []pay.Image{*img}, err
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

// gameLook are the settings of the payment page that can be absent from a request.
type gameLook struct {
	logo            *pay.ImageRef
	accent, support *string
}

func (from gameLook) set(g *pay.Game) {
	if from.logo != nil {
		g.Logo = *from.logo
	}
	if from.accent != nil {
		g.Accent = *from.accent
	}
	if from.support != nil {
		g.SupportURL = *from.support
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

func (c Converter) game(g pay.Game) *adminv1.Game {
	return &adminv1.Game{
		Id: string(g.ID), Name: g.Name, PaymentAttempts: int32(g.Attempts), Capture: string(g.Capture),
		SessionTtl: durationpb.New(g.SessionTTL), ConfirmUrl: g.ConfirmURL,
		ReturnUrlSchemes: g.ReturnSchemes, ReturnUrlHosts: g.ReturnHosts, Currencies: texts(g.Currencies),
		CreatedAt: timestamp(g.CreatedAt), UpdatedAt: timestamp(g.UpdatedAt),
		Logo: c.image(g.Logo), AccentColor: g.Accent, SupportUrl: g.SupportURL, EmbedOrigins: g.EmbedOrigins,
	}
}

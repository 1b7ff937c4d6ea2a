package main

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var gamesCreate = command{
	path: "games create", operands: "ID", brief: "register a game",
	details: "The id is what CreateSession names as game_id: lower-case letters, digits, - and _.",
	example: `coinslot games create space_shooter --name "Space Shooter"`,
	prepare: online(func(f *config.Flags) operation {
		settings := gameFlags(f)
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			res, err := admin.CreateGame(ctx, &adminv1.CreateGameRequest{
				Id: operands[0], Name: settings.Name, PaymentAttempts: settings.PaymentAttempts,
				Capture: settings.Capture, SessionTtl: settings.SessionTtl,
				ReturnUrlSchemes: settings.ReturnUrlSchemes.GetValues(), ReturnUrlHosts: settings.ReturnUrlHosts.GetValues(),
				Currencies: settings.Currencies.GetValues(), ConfirmUrl: settings.ConfirmUrl,
				Logo: settings.Logo, AccentColor: settings.AccentColor, SupportUrl: settings.SupportUrl,
				EmbedOrigins: settings.EmbedOrigins.GetValues(),
			})
			if err != nil {
				return err
			}
			return p.game(res, res.GetGame(), res.ConfirmSecret)
		}
	}),
}

var gamesList = command{
	path: "games list", brief: "list all games",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, _ []string) error {
			res, err := admin.ListGames(ctx, &adminv1.ListGamesRequest{})
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				var rows [][]string
				for _, g := range res.GetGames() {
					rows = append(rows, []string{g.GetId(), g.GetName(), g.GetCapture(), strconv.Itoa(int(g.GetPaymentAttempts())), moment(g.GetCreatedAt())})
				}
				p.table([]string{"ID", "NAME", "CAPTURE", "ATTEMPTS", "CREATED"}, rows)
			})
		}
	}),
}

var gamesShow = command{
	path: "games show", operands: "ID", brief: "show a game and its settings",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			res, err := admin.GetGame(ctx, &adminv1.GetGameRequest{Id: operands[0]})
			if err != nil {
				return err
			}
			return p.game(res, res.GetGame(), nil)
		}
	}),
}

var gamesUpdate = command{
	path: "games update", operands: "ID", brief: "change a game's settings",
	details: "What no flag names stays as it is, and so do the sessions that exist already. How the payment\npage looks, and who may frame it, changes for them too.",
	example: "coinslot games update space_shooter --payment-attempts 3 --currencies USD,EUR",
	prepare: online(func(f *config.Flags) operation {
		settings := gameFlags(f)
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			settings.Id = operands[0]
			res, err := admin.UpdateGame(ctx, settings)
			if err != nil {
				return err
			}
			return p.game(res, res.GetGame(), res.ConfirmSecret)
		}
	}),
}

var gamesRotateConfirmSecret = command{
	path: "games rotate-confirm-secret", operands: "ID", brief: "replace the secret that a game is asked with; both sign for a while",
	details: "The new secret is printed alone on standard output, this once.",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.RotateConfirmSecretRequest{}
		f.Flag("overlap", "DURATION", "how long the old secret still signs, by default 24h", durationFlag(&req.Overlap))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			req.GameId = operands[0]
			res, err := admin.RotateConfirmSecret(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				if res.GetOldExpiresAt() != nil {
					p.note("The old secret signs until %s.", moment(res.GetOldExpiresAt()))
				}
				p.note("The new one is shown this once:")
				p.line("%s", res.GetSecret())
			})
		}
	}),
}

// gameFlags declares the settings of a game. What no flag names stays absent.
func gameFlags(f *config.Flags) *adminv1.UpdateGameRequest {
	to := &adminv1.UpdateGameRequest{}
	f.Flag("name", "TEXT", "what players see on the payment page", given(&to.Name, config.Text))
	f.Flag("payment-attempts", "NUMBER", "how many payments may fail before the session does, 1 to 10", given(&to.PaymentAttempts, config.Whole))
	f.Flag("capture", "MODE", "automatic, or manual: by CompletePayment", given(&to.Capture, config.Text))
	f.Flag("session-ttl", "DURATION", "how long a session can be paid, such as 24h", durationFlag(&to.SessionTtl))
	f.Flag("confirm-url", "URL", `who is asked before a player is charged; "" is nobody`, given(&to.ConfirmUrl, config.Text))
	f.Flag("return-url-schemes", "LIST", `schemes that return URLs may have, such as https,mygame; "" is any`, listFlag(&to.ReturnUrlSchemes))
	f.Flag("return-url-hosts", "LIST", `hosts that return URLs may have; "" is any`, listFlag(&to.ReturnUrlHosts))
	f.Flag("currencies", "LIST", `currencies that the game accepts, such as USD,EUR; "" is all`, listFlag(&to.Currencies))
	f.Flag("logo", "URL|FILE", `what the payment page shows beside the name: an https URL, or a PNG, JPEG or WebP file to upload; "" is none`, given(&to.Logo, logoText))
	f.Flag("accent-color", "COLOR", `the colour of buttons on the payment page, such as #3151d3; "" is the page's own`, given(&to.AccentColor, config.Text))
	f.Flag("support-url", "URL", `where players find help, https or mailto; "" is nowhere`, given(&to.SupportUrl, config.Text))
	f.Flag("embed-origins", "LIST", `web origins that may frame the payment page, such as https://shop.example.com; "" is none`, listFlag(&to.EmbedOrigins))
	return to
}

// given reads a flag into a field with presence, which stays absent without the flag.
func given[T any](to **T, read func(*T) config.Reader) config.Reader {
	return config.Reader{Read: func(text string) error {
		value := new(T)
		*to = value
		return read(value).Read(text)
	}}
}

func durationFlag(to **durationpb.Duration) config.Reader {
	return config.Reader{Read: func(text string) error {
		var d time.Duration
		err := config.Duration(&d, 0).Read(text)
		*to = durationpb.New(d)
		return err
	}}
}

// listFlag reads a list; an empty text is an empty list, which is not the same as none.
func listFlag(to **adminv1.StringList) config.Reader {
	return config.Reader{Read: func(text string) error {
		if *to == nil {
			*to = &adminv1.StringList{}
		}
		return config.Texts(&(*to).Values).Read(text)
	}}
}

// game prints a game and, this once, the secret that it is asked with, where one was made.
func (p *printer) game(answer proto.Message, g *adminv1.Game, secret *string) error {
	return p.answer(answer, func() {
		if secret != nil {
			defer func() {
				p.note("What its confirm_url is asked is signed with this secret, shown this once:")
				p.line("%s", *secret)
			}()
		}
		p.sheet(
			"id", g.GetId(), "name", g.GetName(), "capture", g.GetCapture(),
			"payment attempts", strconv.Itoa(int(g.GetPaymentAttempts())),
			"confirm url", cmp.Or(g.GetConfirmUrl(), "none"),
			"session ttl", config.Shortly(g.GetSessionTtl().AsDuration()),
			"currencies", list(g.GetCurrencies(), "all"),
			"return URL schemes", list(g.GetReturnUrlSchemes(), "any"), "return URL hosts", list(g.GetReturnUrlHosts(), "any"),
			"logo", cmp.Or(g.GetLogo(), "none"), "accent color", cmp.Or(g.GetAccentColor(), "the page's own"),
			"support url", cmp.Or(g.GetSupportUrl(), "none"), "embed origins", list(g.GetEmbedOrigins(), "none"),
			"created", moment(g.GetCreatedAt()), "updated", moment(g.GetUpdatedAt()),
		)
	})
}

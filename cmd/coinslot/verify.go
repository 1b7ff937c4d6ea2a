package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/config"
	coinslot "github.com/coinslot/coinslot/sdk/go"
)

var webhooksVerify = command{
	path: "webhooks verify", brief: "say whether a webhook that arrived is signed well, and if not, why",
	details: `The body is read from standard input, and must be the bytes as they arrived. Of the
headers those of either signature are enough; where both are given both must be right.
Nothing is asked of the server. The exit status is 0 if all is well.`,
	example: `coinslot webhooks verify --secret whsec_… --header 'X-ToffeePay-Signature: t=…,v1=…' < body`,
	prepare: func(f *config.Flags) action {
		v := &verification{header: http.Header{}, tolerance: 5 * time.Minute}
		f.Flag("secret", "TEXT", "the signing secret; repeated for two while they rotate; also from COINSLOT_WEBHOOK_SECRET", config.Reader{Read: v.readSecret, Secret: true})
		f.Flag("header", "LINE", "a header as it arrived, such as 'webhook-id: …'; repeated; others than those of signatures do no harm", config.Reader{Read: v.readHeader})
		f.Flag("tolerance", "DURATION", "how far the time in the headers may be off", config.Duration(&v.tolerance, time.Second))
		return func(_ context.Context, c *console, _ []string) error {
			if secret, _ := c.env("COINSLOT_WEBHOOK_SECRET"); len(v.secrets) == 0 && secret != "" {
				v.secrets = []string{secret}
			}
			return v.run(c)
		}
	},
}

// mostVerified is the largest body that is looked at, in bytes. A webhook's is a few KiB.
const mostVerified = 4 << 20

// verification is a webhook that arrived somewhere, but for its body.
type verification struct {
	secrets   []string
	header    http.Header
	tolerance time.Duration
}

func (v *verification) readSecret(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	v.secrets = append(v.secrets, text)
	return nil
}

func (v *verification) readHeader(line string) error {
	name, value, found := strings.Cut(line, ":")
	if name = strings.TrimSpace(name); !found || name == "" {
		return errors.New("must be a name, a colon and a value")
	}
	v.header.Add(name, strings.TrimSpace(value))
	return nil
}

// The headers that hold signatures, by which one is told from the other.
const (
	standardSignature = "webhook-signature"
	toffeeSignature   = "X-ToffeePay-Signature"
)

func (v *verification) run(c *console) error {
	if len(v.secrets) == 0 {
		return config.Misused("--secret is required")
	}
	body, err := io.ReadAll(io.LimitReader(c.in, mostVerified+1))
	if err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	if len(body) > mostVerified {
		return fmt.Errorf("the body is larger than %d bytes, which no webhook's is", mostVerified)
	}
	var event *coinslot.Event
	checked := 0
	for _, by := range []string{standardSignature, toffeeSignature} {
		if v.header.Get(by) == "" {
			continue
		}
		checked++
		if event, err = v.verify(body, by); err != nil {
			return fmt.Errorf("%s: %s", by, v.explain(err, body, by))
		}
		_, _ = fmt.Fprintf(c.err, "%s is right.\n", by)
	}
	if checked == 0 {
		return config.Misused("--header must give %s, or %s with webhook-id and webhook-timestamp", toffeeSignature, standardSignature)
	}
	_, err = fmt.Fprintf(c.out, "%s %s %s\n", event.GetType(), event.GetId(), event.GetData().GetSessionId())
	return err
}

// verify looks at one signature, as the Go client does.
func (v *verification) verify(body []byte, by string) (*coinslot.Event, error) {
	header := v.header.Clone()
	if by == toffeeSignature {
		header.Del(standardSignature) // which else decides alone
	}
	return (&coinslot.Verifier{Secrets: v.secrets, Tolerance: v.tolerance}).Verify(body, header)
}

// explain says what is wrong, and what to look for.
func (v *verification) explain(err error, body []byte, by string) string {
	says := strings.TrimPrefix(err.Error(), "coinslot: ")
	switch {
	case errors.Is(err, coinslot.ErrTimestampOutOfTolerance):
		return says + fmt.Sprintf(", more than %s off; --tolerance lets more pass", config.Shortly(v.tolerance))
	case !errors.Is(err, coinslot.ErrWrongSignature):
		return says
	}
	if trimmed := bytes.TrimRight(body, "\r\n"); len(trimmed) < len(body) {
		if _, err := v.verify(trimmed, by); err == nil {
			return says + ". It would be without the line break at the end of the body, which did not arrive with it"
		}
	}
	return says + ". Either the secret is another one, or the body is not the bytes that arrived: one that was read and written again is another"
}

package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/safehttp"
)

const (
	// attemptTimeout bounds one attempt, from the look-up of the host to the last
	// byte that is read of the answer.
	attemptTimeout = 10 * time.Second

	mostAnswerRead = 64 << 10 // bytes; what is read whole leaves its connection fit for reuse
	mostErrorKept  = 500      // bytes
)

// sender makes single attempts. It knows neither store nor queue.
type sender struct {
	secrets Secrets
	client  func(pay.Environment) *http.Client
	now     func() time.Time // for what is kept, and for the age of secrets
}

// send makes one attempt and says what came of it, and how long the receiver asks
// us to wait before the next. Whatever goes wrong is in the attempt.
func (s sender) send(ctx context.Context, to pay.Endpoint, m Message) (pay.Attempt, time.Duration) {
	a, putOff, _ := s.try(ctx, to, m)
	return a, putOff
}

// try does so, and says whether the answer in the attempt is all that there was of it.
func (s sender) try(ctx context.Context, to pay.Endpoint, m Message) (a pay.Attempt, putOff time.Duration, whole bool) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	began := s.now()
	m.At = time.Now() // the receiver compares it with the time of its own machine
	a = pay.Attempt{Number: m.Attempt, At: pay.Clock(began)}
	answer, err := s.post(ctx, to, m, began)
	if err != nil {
		a.Duration = time.Since(m.At)
		a.Error = explain(err, a.Duration)
		return a, 0, false
	}
	a.Status = answer.StatusCode
	a.Answer, whole = readAnswer(answer.Body)
	a.Duration = time.Since(m.At)
	return a, retryAfter(a.Status, answer.Header.Get("Retry-After"), time.Now()), whole
}

func (s sender) post(ctx context.Context, to pay.Endpoint, m Message, began time.Time) (*http.Response, error) {
	secrets, err := s.secrets.live(to, began)
	if err != nil {
		return nil, err
	}
	header, err := Sign(m, secrets...)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(m.Body))
	if err != nil {
		return nil, err
	}
	request.Header = header
	// Whatever client we are given: a redirect is never followed. It could lead
	// elsewhere than the operator agreed to, and most turn a POST into a GET.
	client := *s.client(to.Environment)
	if client.Timeout >= attemptTimeout {
		client.Timeout = 0 // ctx ends first, and a second timer costs a goroutine
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client.Do(request)
}

// readAnswer returns the beginning of an answer, and whether that is all and came to its
// end. A webhook need not care: its status has said whether the event was taken.
func readAnswer(body io.ReadCloser) (start []byte, whole bool) {
	defer body.Close()
	start, err := io.ReadAll(io.LimitReader(body, pay.MostAnswerKept))
	if err != nil {
		return start, false
	}
	rest, err := io.CopyN(io.Discard, body, mostAnswerRead-pay.MostAnswerKept)
	return start, rest == 0 && err == io.EOF
}

// explain says for the operator why there was no answer. It leaves out the URL, that
// net/http names in its errors: its path or query may hold a receiver's password.
func explain(err error, after time.Duration) string {
	var refused *safehttp.RefusedError
	var inURL *url.Error
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer after " + after.Round(time.Millisecond).String()
	case errors.As(err, &inURL):
		err = inURL.Err
	}
	return printable(err.Error())
}

// printable makes a receiver's words fit to store and to show in a terminal.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) > mostErrorKept {
		text = text[:mostErrorKept]
	}
	return strings.ToValidUTF8(text, "?")
}

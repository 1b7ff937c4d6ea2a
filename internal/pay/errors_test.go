package pay_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
)

func TestCodeOf(t *testing.T) {
	refused := pay.Refuse(pay.SessionNotFound, "there is no session %q", "sess_1")
	for _, tt := range []struct {
		err  error
		want pay.Code
	}{
		{refused, pay.SessionNotFound},
		{fmt.Errorf("read session: %w", refused), pay.SessionNotFound},
		{errors.Join(errors.New("disk full"), refused), pay.SessionNotFound},
		{errors.New("disk full"), pay.Internal},
		{nil, pay.Internal},
	} {
		if got := pay.CodeOf(tt.err); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
	if got, want := refused.Error(), `session_not_found: there is no session "sess_1"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

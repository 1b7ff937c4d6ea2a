package protocols

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// listed is one page of a list.
type listed struct {
	ids   []string
	total int32
	more  bool
	next  string
}

// lists are the methods that list. Each is filled for a player with some rows, more than two,
// and asked for by what these have in common.
var lists = []struct {
	method string
	path   string // of REST
	feed   bool   // oldest first, without a total
	fill   func(t *testing.T, s *shop, player string) (ids []string, of string)
	ask    func(ctx context.Context, c client, of string, limit int32, cursor *string) (listed, error)
}{
	{
		method: "ListSessions", path: "/v1/sessions",
		fill: func(t *testing.T, s *shop, player string) (ids []string, of string) {
			for range 5 {
				ids = append(ids, string(s.create(t, s.key, "space_shooter", player)))
			}
			return newestFirst(ids), player
		},
		ask: func(ctx context.Context, c client, of string, limit int32, cursor *string) (listed, error) {
			got, err := c.ListSessions(ctx, &payv1.ListSessionsRequest{GameId: "space_shooter", UserId: &of, Limit: &limit, Cursor: cursor})
			return listed{idsOf(got.GetSessions()), got.GetTotal(), got.GetHasMore(), got.GetNextCursor()}, err
		},
	},
	{
		method: "ListPayments", path: "/v1/payments",
		fill: func(t *testing.T, s *shop, player string) (ids []string, of string) {
			for range 3 {
				ids = append(ids, string(s.buy(t, s.key, "space_shooter", player).Payment.ID))
			}
			return newestFirst(ids), player
		},
		ask: func(ctx context.Context, c client, of string, limit int32, cursor *string) (listed, error) {
			got, err := c.ListPayments(ctx, &payv1.ListPaymentsRequest{GameId: "space_shooter", UserId: &of, Limit: &limit, Cursor: cursor})
			return listed{idsOf(got.GetPayments()), got.GetTotal(), got.GetHasMore(), got.GetNextCursor()}, err
		},
	},
	{
		method: "ListRefunds", path: "/v1/refunds",
		fill: func(t *testing.T, s *shop, player string) (ids []string, of string) {
			payment := s.buy(t, s.key, "space_shooter", player).Payment.ID
			for range 4 {
				ids = append(ids, string(s.refund(t, payment, 1).ID))
			}
			return newestFirst(ids), string(payment)
		},
		ask: func(ctx context.Context, c client, of string, limit int32, cursor *string) (listed, error) {
			got, err := c.ListRefunds(ctx, &payv1.ListRefundsRequest{PaymentId: &of, Limit: &limit, Cursor: cursor})
			return listed{idsOf(got.GetRefunds()), got.GetTotal(), got.GetHasMore(), got.GetNextCursor()}, err
		},
	},
	{
		method: "ListEvents", path: "/v1/events", feed: true,
		fill: func(t *testing.T, s *shop, player string) (ids []string, of string) {
			session := s.buy(t, s.key, "space_shooter", player).Session.ID
			return s.told(t, session), string(session)
		},
		ask: func(ctx context.Context, c client, of string, limit int32, cursor *string) (listed, error) {
			got, err := c.ListEvents(ctx, &payv1.ListEventsRequest{SessionId: &of, Limit: &limit, Cursor: cursor})
			return listed{idsOf(got.GetEvents()), 0, got.GetHasMore(), got.GetNextCursor()}, err
		},
	},
}

func idsOf[T interface{ GetId() string }](rows []T) (ids []string) {
	for _, row := range rows {
		ids = append(ids, row.GetId())
	}
	return ids
}

// newestFirst sorts ids by creation, as far as a millisecond tells, which is how they are listed.
func newestFirst(ids []string) []string {
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids
}

// told is the ids of a session's events, oldest first.
func (s *shop) told(t *testing.T, id pay.SessionID) (ids []string) {
	t.Helper()
	for _, e := range s.happened(t, id) {
		ids = append(ids, string(e.ID))
	}
	return ids
}

func TestEveryListIsPagedOverEveryProtocol(t *testing.T) {
	s := openShop(t)
	for _, list := range lists {
		t.Run(list.method, func(t *testing.T) {
			want, of := list.fill(t, s, "pages of "+list.method)
			for _, p := range protocols {
				t.Run(p.name, func(t *testing.T) {
					c, w := s.client(t, p, s.key)
					var got []string
					var cursor *string
					for pages := 1; ; pages++ {
						page, err := list.ask(t.Context(), c, of, 2, cursor)
						if err != nil || len(page.ids) > 2 || pages > len(want) {
							t.Fatal(pages, page, err)
						}
						got = append(got, page.ids...)
						if total := int32(len(want)); !list.feed && page.total != total {
							t.Errorf("the total is %d, want %d", page.total, total)
						}
						if p.rest {
							w.linksTo(t, list.path, page, list.feed)
						}
						if cursor = &page.next; !page.more {
							break
						}
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("-want +got:\n%s", diff)
					}
					if !list.feed && *cursor != "" {
						t.Errorf("the last page goes on at %s", *cursor)
					}
				})
			}
		})
	}
}

// linksTo checks the headers that REST has beside a list: the total, and, while more
// follows, a link to the next page; of a feed always where to go on, and no total.
func (w *wire) linksTo(t *testing.T, path string, page listed, feed bool) {
	t.Helper()
	h := w.got.Header
	if total := h.Get("X-Total-Count"); feed != (total == "") || !feed && total != strconv.Itoa(int(page.total)) {
		t.Errorf("the total is %q", total)
	}
	if told := h.Get("X-Next-Cursor"); feed != (told != "") {
		t.Errorf("the cursor beside the list is %q", told)
	}
	link := h.Get("Link")
	if page.more != (link != "") {
		t.Errorf("more follows: %v, but the link is %q", page.more, link)
	}
	if page.more && (!strings.HasPrefix(link, "<"+path+"?") || nextOf(h).Get("cursor") != page.next || nextOf(h).Get("limit") != "2") {
		t.Errorf("the link is %q, the cursor %q", link, page.next)
	}
}

func TestTheFeedGoesOnFromItsLastPageOverEveryProtocol(t *testing.T) {
	s := openShop(t)
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			c, _ := s.client(t, p, s.key)
			done := s.buy(t, s.key, "space_shooter", p.name)
			asked := &payv1.ListEventsRequest{SessionId: proto.String(string(done.Session.ID))}
			before, err := c.ListEvents(t.Context(), asked)
			if err != nil || before.GetHasMore() || len(before.GetEvents()) == 0 {
				t.Fatal(before, err)
			}
			asked.Cursor = proto.String(before.GetNextCursor())
			nothing, err := c.ListEvents(t.Context(), asked)
			if err != nil || nothing.GetHasMore() || len(nothing.GetEvents()) != 0 || nothing.GetNextCursor() == "" {
				t.Fatal(nothing, err)
			}
			s.refund(t, done.Payment.ID, 200)
			asked.Cursor = proto.String(nothing.GetNextCursor())
			after, err := c.ListEvents(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			want := s.told(t, done.Session.ID)[len(before.GetEvents()):]
			if diff := cmp.Diff(want, idsOf(after.GetEvents())); diff != "" || len(want) == 0 {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

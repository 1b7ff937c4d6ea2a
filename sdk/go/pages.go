package coinslot

import (
	"iter"

	"google.golang.org/protobuf/proto"
)

// all goes through the pages of a list. ask returns a page, and where the next begins
// unless it is the last; from makes a request begin there. req is left as it is, so
// that the sequence can be gone through again.
func all[Req proto.Message, T any](req Req, ask func(Req) ([]T, *string, error), from func(Req, string)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		own := req.ProtoReflect().New().Interface().(Req) // and no clone: req may be nil
		proto.Merge(own, req)
		for {
			page, next, err := ask(own)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			from(own, *next)
		}
	}
}

// following is the cursor of the page after this one, nil where there is none.
func following(page interface {
	GetHasMore() bool
	GetNextCursor() string
}) *string {
	if !page.GetHasMore() || page.GetNextCursor() == "" {
		return nil
	}
	next := page.GetNextCursor()
	return &next
}

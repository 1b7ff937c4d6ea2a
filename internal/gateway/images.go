package gateway

import (
	"context"
	"sync"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// mostImageCache bounds the pictures that are kept in memory, in bytes.
const mostImageCache = 32 << 20

// images keeps pictures that were asked for lately, so that however many callers take
// one, and however slowly, its bytes are in memory once. A picture never changes.
type images struct {
	mu    sync.Mutex
	kept  map[pay.ImageName]pay.Image
	bytes int
}

func (c *images) get(name pay.ImageName) (pay.Image, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	img, ok := c.kept[name]
	return img, ok
}

// put keeps a picture, and drops others, whichever come first, to make room.
func (c *images) put(img pay.Image) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[pay.ImageName]pay.Image{}
	}
	for name, old := range c.kept {
		if c.bytes+len(img.Data) <= mostImageCache {
			break
		}
		delete(c.kept, name)
		c.bytes -= len(old.Data)
	}
	if _, ok := c.kept[img.Name]; !ok {
		c.kept[img.Name] = img
		c.bytes += len(img.Data)
	}
}

// Image is an item's picture, or a game's logo, that was sent inline.
func (s *Service) Image(ctx context.Context, name pay.ImageName) (pay.Image, error) {
	if img, ok := s.images.get(name); ok {
		return img, nil
	}
	img, err := view(ctx, s.store, func(r store.Reader) (pay.Image, error) { return r.Image(name) })
	if err != nil {
		return pay.Image{}, notFound(err, pay.NotFound, "image", string(name))
	}
	s.images.put(img)
	return img, nil
}

package pay_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
)

func dataURI(mediaType string, data []byte) string {
	return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(data)
}

func picture(width, height int) image.Image { return image.NewGray(image.Rect(0, 0, width, height)) }

// encoded is what an image encoder writes of a picture.
func encoded(encode func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func pngOf(width, height int) []byte {
	return encoded(func(b *bytes.Buffer) error { return png.Encode(b, picture(width, height)) })
}

func jpegOf(width, height int) []byte {
	return encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, picture(width, height), nil) })
}

func gifOf(width, height int) []byte {
	return encoded(func(b *bytes.Buffer) error { return gif.Encode(b, picture(width, height), nil) })
}

// pngSaying is a PNG whose header says that it is of that size, and that has no pixels.
func pngSaying(width, height uint32) []byte {
	header := []byte("IHDR")
	header = binary.BigEndian.AppendUint32(header, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, header...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(header))
}

// webp is a RIFF container with one chunk.
func webp(fourCC string, chunk ...byte) []byte {
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, uint32(12+len(chunk)))
	b = append(b, "WEBP"+fourCC...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(chunk)))
	return append(append(b, chunk...), make([]byte, 16)...)
}

func webpLossy(width, height int) []byte {
	return webp("VP8 ", 0x10, 0, 0, 0x9d, 0x01, 0x2a, byte(width), byte(width>>8), byte(height), byte(height>>8))
}

func webpLossless(width, height int) []byte {
	return webp("VP8L", binary.LittleEndian.AppendUint32([]byte{0x2f}, uint32(width-1)|uint32(height-1)<<14)...)
}

func webpExtended(width, height int) []byte {
	w, h := width-1, height-1
	return webp("VP8X", 0, 0, 0, 0, byte(w), byte(w>>8), byte(w>>16), byte(h), byte(h>>8), byte(h>>16))
}

func TestPicturesAreStored(t *testing.T) {
	for name, tt := range map[string]struct {
		mediaType string
		data      []byte
	}{
		"png":                         {"image/png", pngOf(3, 2)},
		"png as large as can be":      {"image/png", pngSaying(4096, 4096)},
		"png of a pixel":              {"image/png", pngOf(1, 1)},
		"jpeg":                        {"image/jpeg", jpegOf(30, 20)},
		"jpeg as wide as can be":      {"image/jpeg", jpegOf(4096, 1)},
		"webp lossy":                  {"image/webp", webpLossy(4096, 4096)},
		"webp lossy, scaled by a bit": {"image/webp", webpLossy(100|1<<14, 100|3<<14)},
		"webp lossless":               {"image/webp", webpLossless(4096, 1)},
		"webp lossless, with alpha":   {"image/webp", webpLossless(16, 16|1<<14)},
		"webp extended":               {"image/webp", webpExtended(4096, 4096)},
		"as many bytes as can be":     {"image/png", append(pngOf(1, 1), make([]byte, 1<<20-len(pngOf(1, 1)))...)},
	} {
		t.Run(name, func(t *testing.T) {
			ref, img, err := pay.ParseImage(dataURI(tt.mediaType, tt.data))
			if err != nil {
				t.Fatal(err)
			}
			sum := fmt.Sprintf("%x", sha256.Sum256(tt.data))
			want := pay.ImageName(sum + "." + tt.mediaType[len("image/"):])
			if img.Name != want || img.Type != tt.mediaType || !bytes.Equal(img.Data, tt.data) {
				t.Errorf("%s, %d bytes of %s, want %s, %d bytes of %s", img.Name, len(img.Data), img.Type, want, len(tt.data), tt.mediaType)
			}
			if stored, ok := ref.Stored(); !ok || stored != want {
				t.Errorf("the reference is to %s, %v", stored, ok)
			}
		})
	}
}

func TestAPictureMayBeWrittenInSeveralWays(t *testing.T) {
	data := append(pngOf(2, 2), 0) // whose base64 has padding
	text := base64.StdEncoding.EncodeToString(data)
	if !strings.HasSuffix(text, "=") {
		t.Fatal("the picture's base64 has no padding to leave out")
	}
	for _, uri := range []string{
		"data:image/png;base64," + text,
		"DATA:IMAGE/PNG;BASE64," + text,
		"Data:Image/Png;Base64," + text,
		"data:image/png;base64," + strings.TrimRight(text, "="),
	} {
		_, img, err := pay.ParseImage(uri)
		if err != nil || !bytes.Equal(img.Data, data) {
			t.Errorf("%.30s…: %v", uri, err)
		}
	}
}

func TestPicturesElsewhereAreReferredTo(t *testing.T) {
	for _, link := range []string{
		"https://example.com/coin.png", "http://localhost:3000/coin.svg?v=1#x", "HTTPS://EXAMPLE.COM/", "https://example.com/金貨.png",
		"https://example.com/" + strings.Repeat("x", 2048-len("https://example.com/")),
		"https://example.com/" + strings.Repeat("金", 2048-len("https://example.com/")),
	} {
		ref, img, err := pay.ParseImage(link)
		if err != nil || img != nil || string(ref) != link {
			t.Errorf("%.60s: %.60s, %v, %v", link, ref, img, err)
		}
		if name, stored := ref.Stored(); stored {
			t.Errorf("%.60s is said to be stored as %s", link, name)
		}
	}
}

func TestWhatIsNoPicture(t *testing.T) {
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)
	small := base64.StdEncoding.EncodeToString(pngOf(1, 1))
	for name, text := range map[string]string{
		"nothing":                       "",
		"words":                         "a coin",
		"a path":                        "/coin.png",
		"a link without a scheme":       "//example.com/coin.png",
		"a link without a host":         "https:///coin.png",
		"a link without slashes":        "https:coin.png",
		"a link of another scheme":      "ftp://example.com/coin.png",
		"a link that runs script":       "javascript:alert(1)",
		"a link with a space":           "https://example.com/a coin.png",
		"a link with a line break":      "https://example.com/\ncoin.png",
		"a link with a quote":           `https://example.com/"onload="alert(1)`,
		"a link that is not UTF-8":      "https://example.com/\xff",
		"a link that is too long":       "https://example.com/" + strings.Repeat("x", 2049-len("https://example.com/")),
		"the name of a stored picture":  "stored:" + strings.Repeat("0", 64) + ".png",
		"svg":                           dataURI("image/svg+xml", svg),
		"svg that says it is a png":     dataURI("image/png", svg),
		"svg in plain text":             "data:image/svg+xml;utf8," + string(svg),
		"gif":                           dataURI("image/gif", gifOf(1, 1)),
		"gif that says it is a png":     dataURI("image/png", gifOf(1, 1)),
		"html":                          dataURI("text/html", []byte("<script>alert(1)</script>")),
		"no label":                      "data:;base64," + small,
		"no marker":                     "data:image/png," + small,
		"no comma":                      "data:image/png;base64" + small,
		"another marker":                "data:image/png;base32," + small,
		"a parameter more":              "data:image/png;charset=utf-8;base64," + small,
		"jpg, which is no media type":   dataURI("image/jpg", jpegOf(1, 1)),
		"a space before the label":      "data: image/png;base64," + small,
		"a space before it all":         " data:image/png;base64," + small,
		"png that says it is a jpeg":    dataURI("image/jpeg", pngOf(1, 1)),
		"png that says it is a webp":    dataURI("image/webp", pngOf(1, 1)),
		"jpeg that says it is a png":    dataURI("image/png", jpegOf(1, 1)),
		"webp that says it is a png":    dataURI("image/png", webpLossy(1, 1)),
		"no bytes":                      dataURI("image/png", nil),
		"a cut-off png":                 dataURI("image/png", pngOf(1, 1)[:20]),
		"a cut-off jpeg":                dataURI("image/jpeg", jpegOf(1, 1)[:20]),
		"a cut-off webp":                dataURI("image/webp", webpLossy(1, 1)[:29]),
		"webp, its first mark wrong":    dataURI("image/webp", bytes.Replace(webpLossy(1, 1), []byte{0x9d}, []byte{0x9e}, 1)),
		"webp, its second mark wrong":   dataURI("image/webp", bytes.Replace(webpLossy(1, 1), []byte{0x9d, 0x01}, []byte{0x9d, 0x02}, 1)),
		"webp, its third mark wrong":    dataURI("image/webp", bytes.Replace(webpLossy(1, 1), []byte{0x2a}, []byte{0x2b}, 1)),
		"webp without a frame":          dataURI("image/webp", webp("VP8 ", make([]byte, 32)...)),
		"webp without its signature":    dataURI("image/webp", webp("VP8L", make([]byte, 32)...)),
		"webp of an unknown kind":       dataURI("image/webp", webp("VP9 ", make([]byte, 32)...)),
		"another RIFF":                  dataURI("image/webp", bytes.Replace(webpLossy(1, 1), []byte("WEBP"), []byte("WAVE"), 1)),
		"base64 that is none":           "data:image/png;base64,!!!!",
		"base64 of URLs":                "data:image/png;base64," + base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 9)),
		"base64 with too much padding":  "data:image/png;base64," + small + "====",
		"a byte too many":               dataURI("image/png", append(pngOf(1, 1), make([]byte, 1<<20+1-len(pngOf(1, 1)))...)),
		"far too many bytes":            dataURI("image/png", make([]byte, 4<<20)),
		"png too wide":                  dataURI("image/png", pngSaying(4097, 1)),
		"png too high":                  dataURI("image/png", pngSaying(1, 4097)),
		"png of no width":               dataURI("image/png", pngSaying(0, 1)),
		"png that unpacks to terabytes": dataURI("image/png", pngSaying(1<<31-1, 1<<31-1)),
		"png of a negative size":        dataURI("image/png", pngSaying(1<<32-1, 1<<32-1)),
		"jpeg too wide":                 dataURI("image/jpeg", jpegOf(4097, 1)),
		"webp too wide, lossy":          dataURI("image/webp", webpLossy(4097, 1)),
		"webp of no height, lossy":      dataURI("image/webp", webpLossy(1, 0)),
		"webp too high, lossless":       dataURI("image/webp", webpLossless(1, 4097)),
		"webp too wide, extended":       dataURI("image/webp", webpExtended(1<<24, 1)),
		"webp a pixel too high":         dataURI("image/webp", webpExtended(1, 4097)),
	} {
		t.Run(name, func(t *testing.T) {
			ref, img, err := pay.ParseImage(text)
			wantRefusal(t, err, pay.InvalidImage, "item.image")
			if ref != "" || img != nil {
				t.Errorf("refused, and read as %.40q, %v", ref, img != nil)
			}
		})
	}
}

func TestAPictureComesWithItsSession(t *testing.T) {
	o := coins()
	o.Item.Image = new(dataURI("image/png", pngOf(2, 2)))
	c, err := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon)
	if err != nil {
		t.Fatal(err)
	}
	if name, stored := c.Session.Item.Image.Stored(); !stored || c.Image == nil || c.Image.Name != name {
		t.Errorf("the session refers to %s, the change has %v", c.Session.Item.Image, c.Image)
	}
}

func FuzzParseImage(f *testing.F) {
	for _, seed := range []string{
		"", "https://example.com/coin.png", "data:image/png;base64,", "data:,x",
		dataURI("image/png", pngOf(1, 1)), dataURI("image/png", pngSaying(1<<31-1, 1<<31-1)), dataURI("image/jpeg", jpegOf(1, 1)),
		dataURI("image/webp", webpLossy(1, 1)), dataURI("image/webp", webpLossless(1, 1)), dataURI("image/webp", webpExtended(1, 1)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, img, err := pay.ParseImage(text)
		name, stored := ref.Stored()
		switch {
		case err != nil && (ref != "" || img != nil):
			t.Errorf("%q is refused, and read as %q", text, ref)
		case err != nil:
		case stored != (img != nil):
			t.Errorf("%q is read as %q, with a picture %v", text, ref, img != nil)
		case !stored && (string(ref) != text || schemeInBrowser(text) != "http" && schemeInBrowser(text) != "https"):
			t.Errorf("%q is read as %q", text, ref)
		case stored && (img.Name != name || len(img.Data) == 0 || len(img.Data) > pay.MostImageBytes ||
			img.Type != "image/png" && img.Type != "image/jpeg" && img.Type != "image/webp"):
			t.Errorf("%.80q is read as %s, %d bytes of %s", text, img.Name, len(img.Data), img.Type)
		}
	})
}

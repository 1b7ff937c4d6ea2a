package pay

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"image/jpeg"
	"image/png"
	"net/url"
	"strings"
)

// What a picture that is sent inline may be.
const (
	MostImageBytes = 1 << 20 // decoded
	MostImageSide  = 4096    // pixels
)

// Image is a picture that a caller sent inline. It is stored once per content.
type Image struct {
	Name ImageName
	Type string // its media type, image/png
	Data []byte
}

// ImageName names a stored image: the SHA-256 of its bytes in hex, then its extension.
type ImageName string

// ImageRef is what an item's image or a game's logo is: empty, the http(s) URL that the caller
// gave, or the name of a stored image. The server never fetches such a URL.
type ImageRef string

const storedImage = "stored:"

// Stored is the name of the stored image, where the reference is to one.
func (r ImageRef) Stored() (ImageName, bool) {
	name, ok := strings.CutPrefix(string(r), storedImage)
	return ImageName(name), ok
}

// ParseImage checks item.image: a data: URI, whose picture is returned to be stored,
// or an http(s) URL.
func ParseImage(text string) (ImageRef, *Image, error) {
	const code, field = InvalidImage, "item.image"
	head, rest, _ := strings.Cut(text, ":")
	switch strings.ToLower(head) {
	case "http", "https":
		if err := checkURI(code, field, text); err != nil {
			return "", nil, err
		}
		if u, err := url.Parse(text); err != nil || u.Hostname() == "" {
			return "", nil, RefuseField(code, field, "must be a URL with a host, got %s", quote(text))
		}
		return ImageRef(text), nil, nil
	case "data":
		img, err := decodeImage(code, field, rest)
		if err != nil {
			return "", nil, err
		}
		return storedImage + ImageRef(img.Name), img, nil
	}
	return "", nil, RefuseField(code, field, "must be a data:image/png, jpeg or webp URI in base64 or an http(s) URL, got %s", quote(text))
}

func decodeImage(code Code, field, rest string) (*Image, error) {
	label, encoded, ok := strings.Cut(rest, ",")
	mediaType, marker, _ := strings.Cut(strings.ToLower(label), ";")
	size, known := imageFormats[mediaType]
	if !ok || marker != "base64" || !known {
		return nil, RefuseField(code, field, "must begin with data:image/png;base64, (or jpeg, or webp), got %s", quote("data:"+label))
	}
	if base64.StdEncoding.DecodedLen(len(encoded)) > MostImageBytes+3 {
		return nil, tooManyBytes(code, field)
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		if data, err = base64.RawStdEncoding.DecodeString(encoded); err != nil {
			return nil, RefuseField(code, field, "must be valid base64 after the comma")
		}
	}
	if len(data) > MostImageBytes {
		return nil, tooManyBytes(code, field)
	}
	width, height, ok := size(data)
	if !ok {
		return nil, RefuseField(code, field, "must hold the bytes of the %s that it says it is", mediaType)
	}
	if width < 1 || height < 1 || width > MostImageSide || height > MostImageSide {
		return nil, RefuseField(code, field, "must be at most %d pixels a side, got %d by %d", MostImageSide, width, height)
	}
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:]) + "." + strings.TrimPrefix(mediaType, "image/")
	return &Image{Name: ImageName(name), Type: mediaType, Data: data}, nil
}

func tooManyBytes(code Code, field string) error {
	return RefuseField(code, field, "must be at most %d bytes once decoded", MostImageBytes)
}

// imageFormats reads a picture's size from its own header, and thereby checks that
// the bytes are what the label says. SVG is not among them: it can carry script.
var imageFormats = map[string]func([]byte) (width, height int, ok bool){
	"image/png": func(b []byte) (int, int, bool) {
		c, err := png.DecodeConfig(bytes.NewReader(b))
		return c.Width, c.Height, err == nil
	},
	"image/jpeg": func(b []byte) (int, int, bool) {
		c, err := jpeg.DecodeConfig(bytes.NewReader(b))
		return c.Width, c.Height, err == nil
	},
	"image/webp": webpSize,
}

// webpSize reads the size of the canvas from the first chunk of a WebP file: VP8
// (lossy, RFC 6386 section 9.1), VP8L (lossless) or VP8X (extended), as RFC 9649 lays them out.
func webpSize(b []byte) (width, height int, ok bool) {
	if len(b) < 30 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WEBP" {
		return 0, 0, false
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	u24 := func(at int) int { return u16(at) | int(b[at+2])<<16 }
	switch string(b[12:16]) {
	case "VP8 ":
		return u16(26) & 0x3fff, u16(28) & 0x3fff, b[23] == 0x9d && b[24] == 0x01 && b[25] == 0x2a
	case "VP8L":
		bits := binary.LittleEndian.Uint32(b[21:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1, b[20] == 0x2f
	case "VP8X":
		return u24(24) + 1, u24(27) + 1, true
	}
	return 0, 0, false
}

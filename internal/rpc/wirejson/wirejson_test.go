package wirejson_test

import "google.golang.org/protobuf/encoding/protojson"

var documented = struct {
	write protojson.MarshalOptions
	read  protojson.UnmarshalOptions
}{
	protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true},
	protojson.UnmarshalOptions{DiscardUnknown: true},
}

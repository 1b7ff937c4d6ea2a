package rpc

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Procedure is the method that a path calls, as the contract has it, or nil if the
// contract has none there.
func Procedure(path string) protoreflect.MethodDescriptor {
	service, method, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok {
		return nil
	}
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service + "." + method))
	if err != nil {
		return nil
	}
	procedure, _ := found.(protoreflect.MethodDescriptor)
	return procedure
}

// isStream says whether a path calls a method that sends or takes a stream.
func isStream(path string) bool {
	p := Procedure(path)
	return p != nil && (p.IsStreamingServer() || p.IsStreamingClient())
}

// reads says whether a path calls a method that changes nothing, or one that is not there.
func reads(path string) bool {
	p := Procedure(path)
	if p == nil {
		return true
	}
	options, ok := p.Options().(*descriptorpb.MethodOptions)
	return ok && options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// The names by which the contract's descriptors are found, and by which the generator calls them in the document.
const (
	contractPackage = "portin.v1"
	orderMessage    = contractPackage + ".PortInOrder"
	reasonEnum      = contractPackage + ".ErrorReason"
	reasonPrefix    = "ERROR_REASON_"
	placingRPC      = "PortInService_PortIn"
)

// contract is what the amendments need to know of the .proto files.
type contract struct {
	choices  map[string][]string // JSON names of the arms of each oneof that must be set, by its message
	rules    map[string][]rule   // what buf.validate says of the fields, by their message and in their order
	reasons  []string            // reasons as ErrorInfo spells them, without the enum's prefix and its zero
	requests map[string]string   // names of the request messages, by the operationId of the RPC's first binding
	streams  map[string]bool     // server streams, by the same
}

// readContract reads a serialised descriptor set that holds portin.v1 and everything that it imports.
func readContract(set []byte) (contract, error) {
	var files descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(set, &files); err != nil {
		return contract{}, fmt.Errorf("parse the descriptor set: %w", err)
	}
	registry, err := protodesc.NewFiles(&files)
	if err != nil {
		return contract{}, fmt.Errorf("link the descriptor set: %w", err)
	}
	facts := contract{
		choices: map[string][]string{}, rules: map[string][]rule{}, requests: map[string]string{}, streams: map[string]bool{},
	}
	var problems []error
	registry.RangeFilesByPackage(contractPackage, func(file protoreflect.FileDescriptor) bool {
		for i := range file.Messages().Len() {
			facts.addChoices(file.Messages().Get(i))
			problems = append(problems, facts.addRules(file.Messages().Get(i)))
		}
		for i := range file.Services().Len() {
			facts.addCalls(file.Services().Get(i))
		}
		if enum := file.Enums().ByName("ErrorReason"); enum != nil {
			facts.addReasons(enum)
		}
		return true
	})
	if err := errors.Join(problems...); err != nil {
		return contract{}, err
	}
	if len(facts.choices[orderMessage]) == 0 {
		return contract{}, fmt.Errorf("no oneof target in %s", orderMessage)
	}
	if len(facts.reasons) == 0 {
		return contract{}, fmt.Errorf("no enum %s", reasonEnum)
	}
	return facts, nil
}

// addChoices notes the oneofs of a message, and of those inside it, of which one arm must be set: an order's target,
// which the handler checks before all rules, and what buf.validate requires.
func (c *contract) addChoices(message protoreflect.MessageDescriptor) {
	for i := range message.Oneofs().Len() {
		choice := message.Oneofs().Get(i)
		rule, _ := proto.GetExtension(choice.Options(), validate.E_Oneof).(*validate.OneofRules)
		if !rule.GetRequired() && choice.FullName() != orderMessage+".target" {
			continue
		}
		for j := range choice.Fields().Len() {
			name := string(message.FullName())
			c.choices[name] = append(c.choices[name], choice.Fields().Get(j).JSONName())
		}
	}
	for i := range message.Messages().Len() {
		c.addChoices(message.Messages().Get(i))
	}
}

// addRules notes the rules of a message's fields, and of those of the messages inside it.
func (c *contract) addRules(message protoreflect.MessageDescriptor) error {
	var problems []error
	for i := range message.Fields().Len() {
		rule, err := readRule(message.Fields().Get(i))
		problems = append(problems, err)
		if name := string(message.FullName()); !rule.saysNothing() {
			c.rules[name] = append(c.rules[name], rule)
		}
	}
	for i := range message.Messages().Len() {
		problems = append(problems, c.addRules(message.Messages().Get(i)))
	}
	return errors.Join(problems...)
}

func (c *contract) addCalls(service protoreflect.ServiceDescriptor) {
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		rpc := string(service.Name() + "_" + method.Name())
		c.requests[rpc] = string(method.Input().FullName())
		if method.IsStreamingServer() {
			c.streams[rpc] = true
		}
	}
}

func (c *contract) addReasons(enum protoreflect.EnumDescriptor) {
	for i := range enum.Values().Len() {
		if value := enum.Values().Get(i); value.Number() != 0 {
			c.reasons = append(c.reasons, strings.TrimPrefix(string(value.Name()), reasonPrefix))
		}
	}
}

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/open-telemetry/opamp-go/protobufs"
	"github.com/open-telemetry/opamp-go/server/types"
)

// command is one order of the test. What it makes for the agent leaves at once over a WebSocket; otherwise, and with
// When, it waits for a message that it can answer.
type command struct {
	ID int `json:"id"`
	// Do is offer, restart, report-full-state, assign-uid or drop.
	Do string `json:"do"`
	// Files of an offer, by name.
	Files map[string]string `json:"files"`
	// UID to assign.
	UID string `json:"uid"`
	// When is empty, or applied or failed: the answer to the message that reports this status of the configuration.
	When string `json:"when"`
}

type waiting struct {
	message *protobufs.ServerToAgent
	when    string
}

// agent is what has to be remembered of one: the number of the last message that we saw.
type agent struct{ sequence uint64 }

// fleet is everybody who ever reported, and what waits to be told. The tests know one agent at a time.
type fleet struct {
	mutex       sync.Mutex
	likeExample bool
	agents      map[string]*agent
	sockets     map[types.Connection]string
	queue       []waiting
}

func newFleet(likeExample bool) *fleet {
	return &fleet{likeExample: likeExample, agents: map[string]*agent{}, sockets: map[types.Connection]string{}}
}

func (f *fleet) answer(id int64, transport string, conn types.Connection, message *protobufs.AgentToServer) *protobufs.ServerToAgent {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	text, err := protojson.Marshal(message)
	if err != nil {
		emit(event{Event: "unreadable", Connection: id, Error: err.Error()})
		return nil
	}
	uid, err := uuid.FromBytes(message.InstanceUid)
	if err != nil {
		emit(event{Event: "unreadable", Connection: id, Error: "instance uid: " + err.Error()})
		return nil
	}
	emit(event{Event: "message", Connection: id, UID: uid.String(), Message: text})
	response := &protobufs.ServerToAgent{}
	known := f.agents[uid.String()]
	if f.lostPart(known, message) {
		response.Flags |= uint64(protobufs.ServerToAgentFlags_ServerToAgentFlags_ReportFullState)
	}
	if known == nil && f.likeExample && has(message.Capabilities, protobufs.AgentCapabilities_AgentCapabilities_AcceptsRemoteConfig) {
		response.RemoteConfig = remoteConfig(map[string]string{"": ""})
	}
	f.agents[uid.String()] = &agent{sequence: message.SequenceNum}
	if transport == "websocket" {
		f.sockets[conn] = uid.String()
	} else if f.likeExample {
		delete(f.agents, uid.String())
	}
	f.takeFromQueue(message, response)
	return response
}

// lostPart says whether a message that leaves something out follows on one that we did not see.
func (f *fleet) lostPart(known *agent, message *protobufs.AgentToServer) bool {
	if known != nil && known.sequence+1 == message.SequenceNum {
		return false
	}
	can := func(bit protobufs.AgentCapabilities) bool { return has(message.Capabilities, bit) }
	return message.AgentDescription == nil ||
		(message.EffectiveConfig == nil && can(protobufs.AgentCapabilities_AgentCapabilities_ReportsEffectiveConfig)) ||
		(message.RemoteConfigStatus == nil && can(protobufs.AgentCapabilities_AgentCapabilities_ReportsRemoteConfig)) ||
		(message.Health == nil && can(protobufs.AgentCapabilities_AgentCapabilities_ReportsHealth))
}

func has(capabilities uint64, bit protobufs.AgentCapabilities) bool {
	return capabilities&uint64(bit) != 0
}

// takeFromQueue moves the first that may leave now into the response.
func (f *fleet) takeFromQueue(message *protobufs.AgentToServer, response *protobufs.ServerToAgent) {
	for i, item := range f.queue {
		if item.when != "" && item.when != statusName(message) {
			continue
		}
		f.queue = append(f.queue[:i:i], f.queue[i+1:]...)
		proto.Merge(response, item.message)
		return
	}
}

func statusName(message *protobufs.AgentToServer) string {
	switch message.GetRemoteConfigStatus().GetStatus() {
	case protobufs.RemoteConfigStatuses_RemoteConfigStatuses_APPLIED:
		return "applied"
	case protobufs.RemoteConfigStatuses_RemoteConfigStatuses_FAILED:
		return "failed"
	default:
		return "other"
	}
}

func (f *fleet) closed(conn types.Connection) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.likeExample {
		delete(f.agents, f.sockets[conn])
	}
	delete(f.sockets, conn)
}

// obey carries out one command; the hash is that of the configuration that it offers.
func (f *fleet) obey(c command) (string, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	message := &protobufs.ServerToAgent{}
	switch c.Do {
	case "offer":
		message.RemoteConfig = remoteConfig(c.Files)
	case "restart":
		message.Command = &protobufs.ServerToAgentCommand{Type: protobufs.CommandType_CommandType_Restart}
	case "report-full-state":
		message.Flags = uint64(protobufs.ServerToAgentFlags_ServerToAgentFlags_ReportFullState)
	case "assign-uid":
		uid, err := uuid.Parse(c.UID)
		if err != nil {
			return "", err
		}
		message.AgentIdentification = &protobufs.AgentIdentification{NewInstanceUid: uid[:]}
	case "drop":
		return "", f.drop()
	default:
		return "", fmt.Errorf("unknown command %q", c.Do)
	}
	return hex.EncodeToString(message.GetRemoteConfig().GetConfigHash()), f.send(message, c.When)
}

func (f *fleet) send(message *protobufs.ServerToAgent, when string) error {
	if when != "" || len(f.sockets) == 0 {
		f.queue = append(f.queue, waiting{message: message, when: when})
		return nil
	}
	var failed error
	for conn, text := range f.sockets {
		uid := uuid.MustParse(text)
		addressed := proto.Clone(message).(*protobufs.ServerToAgent)
		addressed.InstanceUid = uid[:]
		failed = errors.Join(failed, conn.Send(context.Background(), addressed))
	}
	return failed
}

func (f *fleet) drop() error {
	if len(f.sockets) == 0 {
		return errors.New("no WebSocket to drop")
	}
	var failed error
	for conn := range f.sockets {
		failed = errors.Join(failed, conn.Disconnect())
	}
	return failed
}

// remoteConfig has the hash that the example server computes: SHA-256 over names, bodies and content types.
func remoteConfig(files map[string]string) *protobufs.AgentRemoteConfig {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	hash := sha256.New()
	objects := map[string]*protobufs.AgentConfigFile{}
	for _, name := range names {
		hash.Write([]byte(name))
		hash.Write([]byte(files[name]))
		objects[name] = &protobufs.AgentConfigFile{Body: []byte(files[name])}
	}
	return &protobufs.AgentRemoteConfig{
		Config:     &protobufs.AgentConfigMap{ConfigMap: objects},
		ConfigHash: hash.Sum(nil),
	}
}

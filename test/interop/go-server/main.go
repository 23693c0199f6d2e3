// Command go-server is an OpAMP server made with the server package of opamp-go, for tests: it shows that the supervisor
// gets along with an implementation that is not ours. It serves WebSocket and plain HTTP on one port.
//
// It prints one JSON object a line (see event) and obeys one JSON object a line on standard input (see command). The end
// of its input ends it, so it never outlives the test that started it.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/open-telemetry/opamp-go/protobufs"
	"github.com/open-telemetry/opamp-go/server"
	"github.com/open-telemetry/opamp-go/server/types"
)

// commandBytesMax bounds one line of input: a configuration of several megabytes fits.
const commandBytesMax = 64 << 20

type event struct {
	Event      string          `json:"event"`
	Connection int64           `json:"connection,omitempty"`
	Port       int             `json:"port,omitempty"`
	Transport  string          `json:"transport,omitempty"`
	Headers    http.Header     `json:"headers,omitempty"`
	UID        string          `json:"uid,omitempty"`
	Message    json.RawMessage `json:"message,omitempty"`
	ID         int             `json:"id,omitempty"`
	Hash       string          `json:"hash,omitempty"`
	Error      string          `json:"error,omitempty"`
}

var printing sync.Mutex

func emit(e event) {
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	printing.Lock()
	defer printing.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	caFile := flag.String("tls-ca", "", "serve TLS with a certificate made now, and write the CA that signed it to this file")
	likeExample := flag.Bool("like-example", false, "like opamp-go's example server: every agent is new on each connection and is sent an empty configuration first")
	flag.Parse()
	if err := run(*listen, *caFile, *likeExample); err != nil {
		fmt.Fprintln(os.Stderr, "go-server:", err)
		os.Exit(1)
	}
}

func run(listen, caFile string, likeExample bool) error {
	var tlsConfig *tls.Config
	if caFile != "" {
		made, err := makeTLS(caFile)
		if err != nil {
			return err
		}
		tlsConfig = made
	}
	state := newFleet(likeExample)
	opamp := server.New(nil)
	err := opamp.Start(server.StartSettings{
		Settings:       server.Settings{Callbacks: types.Callbacks{OnConnecting: onConnecting(state)}},
		ListenEndpoint: listen,
		TLSConfig:      tlsConfig,
	})
	if err != nil {
		return err
	}
	emit(event{Event: "listening", Port: opamp.Addr().(*net.TCPAddr).Port})
	return obeyInput(state)
}

func onConnecting(state *fleet) func(*http.Request) types.ConnectionResponse {
	var connections atomic.Int64
	return func(request *http.Request) types.ConnectionResponse {
		id := connections.Add(1)
		transport := "http"
		if request.Header.Get("Upgrade") != "" {
			transport = "websocket"
		}
		emit(event{Event: "connected", Connection: id, Transport: transport, Headers: request.Header})
		return types.ConnectionResponse{
			Accept: true,
			ConnectionCallbacks: types.ConnectionCallbacks{
				OnMessage: func(_ context.Context, conn types.Connection, message *protobufs.AgentToServer) *protobufs.ServerToAgent {
					return state.answer(id, transport, conn, message)
				},
				OnConnectionClose: func(conn types.Connection) {
					state.closed(conn)
					emit(event{Event: "closed", Connection: id})
				},
				OnReadMessageError: func(_ types.Connection, _ int, _ []byte, err error) {
					emit(event{Event: "unreadable", Connection: id, Error: err.Error()})
				},
			},
		}
	}
}

func obeyInput(state *fleet) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, commandBytesMax)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("cannot read a command: %w", err)
		}
		hash, err := state.obey(c)
		done := event{Event: "done", ID: c.ID, Hash: hash}
		if err != nil {
			done.Error = err.Error()
		}
		emit(done)
	}
	return lines.Err()
}

// A plugin of upstream's own kind (pkg/stub), to be recorded: it answers what it is told to and prints every message as it read or wrote it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/containerd/nri/pkg/api"
	"github.com/containerd/nri/pkg/stub"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// call is one line of output.
type call struct {
	Method   string          `json:"method"`
	Request  json.RawMessage `json:"request"`
	Response json.RawMessage `json:"response,omitempty"`
	Error    string          `json:"error,omitempty"`
}

// recorded is a plugin with a list of answers in protojson for each method; `{"error": "text"}` is an error, and no further one the empty answer.
type recorded struct {
	mutex   sync.Mutex
	answers map[string][]json.RawMessage
	output  *json.Encoder
}

// runPlugin's arguments: the socket, the index, the name, and the file of the answers. Each line of input is an UpdateContainersRequest to send.
func runPlugin(arguments []string) error {
	p := &recorded{output: json.NewEncoder(os.Stdout)}
	answers, err := os.ReadFile(arguments[3])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answers, &p.answers); err != nil {
		return err
	}
	plugin, err := stub.New(p, stub.WithSocketPath(arguments[0]), stub.WithPluginIdx(arguments[1]), stub.WithPluginName(arguments[2]),
		stub.WithOnClose(func() {}),
		stub.WithTTRPCOptions(nil, []ttrpc.ServerOpt{ttrpc.WithUnaryServerInterceptor(p.intercept)}))
	if err != nil {
		return err
	}
	if err := plugin.Start(context.Background()); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		request := &api.UpdateContainersRequest{}
		if err := protojson.Unmarshal(lines.Bytes(), request); err != nil {
			return err
		}
		failed, err := plugin.UpdateContainers(request.Update)
		p.print("UpdateContainers", request, &api.UpdateContainersResponse{Failed: failed}, err)
	}
	return nil
}

func (p *recorded) print(method string, request, response proto.Message, err error) {
	c := call{Method: method, Request: text(request)}
	if err != nil {
		c.Error = err.Error()
	} else if response != nil {
		c.Response = text(response)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := p.output.Encode(c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (p *recorded) intercept(ctx context.Context, unmarshal ttrpc.Unmarshaler, info *ttrpc.UnaryServerInfo, method ttrpc.Method) (interface{}, error) {
	var request proto.Message
	response, err := method(ctx, func(into interface{}) error {
		request, _ = into.(proto.Message)
		return unmarshal(into)
	})
	answer, _ := response.(proto.Message)
	name := info.FullMethod
	for at := len(name) - 1; at >= 0; at-- {
		if name[at] == '/' {
			name = name[at+1:]
			break
		}
	}
	p.print(name, request, answer, err)
	return response, err
}

func (p *recorded) next(method string, into proto.Message) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	answers := p.answers[method]
	if len(answers) == 0 {
		return nil
	}
	p.answers[method] = answers[1:]
	failure := struct {
		Error string `json:"error"`
	}{}
	if json.Unmarshal(answers[0], &failure) == nil && failure.Error != "" {
		return errors.New(failure.Error)
	}
	return protojson.Unmarshal(answers[0], into)
}

func (p *recorded) Synchronize(context.Context, []*api.PodSandbox, []*api.Container) ([]*api.ContainerUpdate, error) {
	answer := &api.SynchronizeResponse{}
	err := p.next("Synchronize", answer)
	return answer.Update, err
}

func (p *recorded) CreateContainer(context.Context, *api.PodSandbox, *api.Container) (*api.ContainerAdjustment, []*api.ContainerUpdate, error) {
	answer := &api.CreateContainerResponse{}
	err := p.next("CreateContainer", answer)
	return answer.Adjust, answer.Update, err
}

func (p *recorded) UpdateContainer(context.Context, *api.PodSandbox, *api.Container, *api.LinuxResources) ([]*api.ContainerUpdate, error) {
	answer := &api.UpdateContainerResponse{}
	err := p.next("UpdateContainer", answer)
	return answer.Update, err
}

func (p *recorded) StopContainer(context.Context, *api.PodSandbox, *api.Container) ([]*api.ContainerUpdate, error) {
	answer := &api.StopContainerResponse{}
	err := p.next("StopContainer", answer)
	return answer.Update, err
}

func (p *recorded) RunPodSandbox(context.Context, *api.PodSandbox) error { return nil }

func (p *recorded) RemovePodSandbox(context.Context, *api.PodSandbox) error { return nil }

func (p *recorded) PostCreateContainer(context.Context, *api.PodSandbox, *api.Container) error {
	return nil
}

func (p *recorded) StartContainer(context.Context, *api.PodSandbox, *api.Container) error {
	return nil
}

func (p *recorded) RemoveContainer(context.Context, *api.PodSandbox, *api.Container) error {
	return nil
}

// The judge: upstream's runtime side of NRI (pkg/adaptation) behind lines of JSON.
//
// Its argument is the socket's path, or `plugin` and what plugin.go needs. Standard input holds one command a line, standard output one answer for each, in order. Messages go in as
// base64 of their protobuf bytes and come out as protojson. After the plugins comes an observer of upstream's own kind (pkg/stub), which tells what
// a last plugin gets to see.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/containerd/nri/pkg/adaptation"
	"github.com/containerd/nri/pkg/api"
	"github.com/containerd/nri/pkg/stub"
	"github.com/sirupsen/logrus"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const apiPackage = "nri.pkg.api.v1alpha1."

// command is one line of input.
type command struct {
	// start, wait, told, createContainer, updateContainer, stopContainer, stateChange, print
	Do string `json:"do"`
	// start: the node's pods and containers.
	Pods       [][]byte `json:"pods"`
	Containers [][]byte `json:"containers"`
	// start: how long a plugin may take, milliseconds.
	RequestTimeout      int `json:"requestTimeout"`
	RegistrationTimeout int `json:"registrationTimeout"`
	// start: the containers whose unsolicited updates fail.
	Failing []string `json:"failing"`
	// wait: how many plugins must have been synchronized, since the start.
	Plugins int `json:"plugins"`
	// The calls' message, as bytes or as protojson; for print, any message of this name.
	Request []byte          `json:"request"`
	JSON    json.RawMessage `json:"json"`
	Message string          `json:"message"`
}

func (c *command) read(message proto.Message) error {
	if c.JSON != nil {
		return protojson.Unmarshal(c.JSON, message)
	}
	return proto.Unmarshal(c.Request, message)
}

// answer is one line of output.
type answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	// What the observer got, when it was asked.
	Seen  json.RawMessage `json:"seen,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	logrus.SetLevel(logrus.InfoLevel)
	logrus.SetOutput(io.Discard)
	if os.Args[1] == "plugin" {
		if err := runPlugin(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	j := &judge{socket: os.Args[1], observer: &observer{}}
	logrus.AddHook(j)
	j.synchronized = sync.NewCond(&j.mutex)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c command
		err := json.Unmarshal(lines.Bytes(), &c)
		var a answer
		if err == nil {
			a, err = j.do(&c)
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := output.Encode(a); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

type judge struct {
	socket   string
	runtime  *adaptation.Adaptation
	observer *observer

	mutex        sync.Mutex
	synchronized *sync.Cond
	plugins      int
	told         told
}

// told is what upstream said and what it wanted done, since the last time that somebody asked.
type told struct {
	Log []string `json:"log"`
	// The updates in the plugins' answers to Synchronize, and those that they sent by themselves.
	Synchronized []json.RawMessage `json:"synchronized"`
	Unsolicited  []json.RawMessage `json:"unsolicited"`
}

func (j *judge) Levels() []logrus.Level { return logrus.AllLevels }

func (j *judge) Fire(entry *logrus.Entry) error {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.told.Log = append(j.told.Log, entry.Message)
	return nil
}

func (j *judge) tell() (answer, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	bytes, err := json.Marshal(j.told)
	j.told = told{}
	return answer{Result: bytes}, err
}

func (j *judge) do(c *command) (answer, error) {
	switch c.Do {
	case "start":
		return answer{}, j.start(c)
	case "wait":
		return answer{}, j.wait(c.Plugins)
	case "told":
		return j.tell()
	case "print":
		t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(apiPackage + c.Message))
		if err != nil {
			return answer{}, err
		}
		message := t.New().Interface()
		if err := c.read(message); err != nil {
			return answer{}, err
		}
		return answer{Result: text(message)}, nil
	}

	// As containerd does: no call while a plugin is being synchronized.
	block := j.runtime.BlockPluginSync()
	defer block.Unblock()
	ctx := context.Background()
	j.observer.seen = nil
	var a answer
	switch c.Do {
	case "createContainer":
		request := &api.CreateContainerRequest{}
		if err := c.read(request); err != nil {
			return a, err
		}
		response, err := j.runtime.CreateContainer(ctx, request)
		if err != nil {
			return answer{Seen: j.observer.seen}, err
		}
		a.Result = text(response)
	case "updateContainer":
		request := &api.UpdateContainerRequest{}
		if err := c.read(request); err != nil {
			return a, err
		}
		response, err := j.runtime.UpdateContainer(ctx, request)
		if err != nil {
			return answer{Seen: j.observer.seen}, err
		}
		// When no plugin answers for the container itself, the last update is a nil pointer.
		if last := len(response.Update) - 1; last >= 0 && response.Update[last] == nil {
			response.Update = response.Update[:last]
		}
		a.Result = text(response)
	case "stopContainer":
		request := &api.StopContainerRequest{}
		if err := c.read(request); err != nil {
			return a, err
		}
		response, err := j.runtime.StopContainer(ctx, request)
		if err != nil {
			return answer{}, err
		}
		a.Result = text(response)
	case "stateChange":
		request := &api.StateChangeEvent{}
		if err := c.read(request); err != nil {
			return a, err
		}
		return a, j.runtime.StateChange(ctx, request)
	default:
		return a, fmt.Errorf("no command %q", c.Do)
	}
	a.Seen = j.observer.seen
	return a, nil
}

func (j *judge) start(c *command) error {
	timeout := time.AfterFunc(15*time.Second, func() {
		fmt.Fprintln(os.Stderr, "the runtime and its observer did not start within 15 s")
		os.Exit(1)
	})
	defer timeout.Stop()
	var pods []*api.PodSandbox
	for _, bytes := range c.Pods {
		pod := &api.PodSandbox{}
		if err := proto.Unmarshal(bytes, pod); err != nil {
			return err
		}
		pods = append(pods, pod)
	}
	var containers []*api.Container
	for _, bytes := range c.Containers {
		container := &api.Container{}
		if err := proto.Unmarshal(bytes, container); err != nil {
			return err
		}
		containers = append(containers, container)
	}
	synchronize := func(ctx context.Context, callback adaptation.SyncCB) error {
		updates, err := callback(ctx, pods, containers)
		if err == nil {
			j.mutex.Lock()
			j.plugins++
			for _, update := range updates {
				j.told.Synchronized = append(j.told.Synchronized, text(update))
			}
			j.mutex.Unlock()
			j.synchronized.Broadcast()
		}
		return err
	}
	update := func(_ context.Context, updates []*api.ContainerUpdate) ([]*api.ContainerUpdate, error) {
		j.mutex.Lock()
		defer j.mutex.Unlock()
		var failed []*api.ContainerUpdate
		for _, update := range updates {
			j.told.Unsolicited = append(j.told.Unsolicited, text(update))
			if slices.Contains(c.Failing, update.ContainerId) {
				failed = append(failed, update)
			}
		}
		return failed, nil
	}
	// The version is of a containerd that embeds NRI 0.8.
	runtime, err := adaptation.New("containerd", "v2.1.4", synchronize, update, adaptation.WithSocketPath(j.socket),
		adaptation.WithPluginPath("/nonexistent"), adaptation.WithPluginConfigPath("/nonexistent"))
	if err != nil {
		return err
	}
	adaptation.SetPluginRequestTimeout(time.Duration(c.RequestTimeout) * time.Millisecond)
	adaptation.SetPluginRegistrationTimeout(time.Duration(c.RegistrationTimeout) * time.Millisecond)
	if err := runtime.Start(); err != nil {
		return err
	}
	j.runtime = runtime
	// Starting synchronizes the plugins of the plugin path, of which there are none, as if they were one.
	j.mutex.Lock()
	j.plugins = 0
	j.mutex.Unlock()
	plugin, err := stub.New(j.observer, stub.WithPluginIdx("99"), stub.WithPluginName("observer"), stub.WithSocketPath(j.socket))
	if err != nil {
		return err
	}
	if err := plugin.Start(context.Background()); err != nil {
		return err
	}
	return j.wait(0)
}

// wait returns when this many plugins and the observer are in service.
func (j *judge) wait(plugins int) error {
	timeout := time.AfterFunc(30*time.Second, func() {
		fmt.Fprintf(os.Stderr, "there are not %d plugins after 30 s\n", plugins)
		os.Exit(1)
	})
	defer timeout.Stop()
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for j.plugins < plugins+1 {
		j.synchronized.Wait()
	}
	return nil
}

type observer struct {
	seen json.RawMessage
}

func (o *observer) CreateContainer(_ context.Context, _ *api.PodSandbox, container *api.Container) (*api.ContainerAdjustment, []*api.ContainerUpdate, error) {
	o.seen = text(container)
	return nil, nil, nil
}

func (o *observer) UpdateContainer(_ context.Context, _ *api.PodSandbox, _ *api.Container, resources *api.LinuxResources) ([]*api.ContainerUpdate, error) {
	o.seen = text(resources)
	return nil, nil
}

func (o *observer) StopContainer(context.Context, *api.PodSandbox, *api.Container) ([]*api.ContainerUpdate, error) {
	return nil, nil
}

func text(message proto.Message) json.RawMessage {
	bytes, err := protojson.Marshal(message)
	if err != nil {
		return json.RawMessage(fmt.Sprintf("%q", err.Error()))
	}
	return bytes
}

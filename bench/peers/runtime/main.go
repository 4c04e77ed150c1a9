// The runtime of the race: upstream's adaptation (pkg/adaptation) replaying the lives of pods and containers.
//
// Standard input holds one command a line, standard output one answer for each, in order: JSON. Durations are nanoseconds unless said otherwise.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/nri/pkg/adaptation"
	"github.com/containerd/nri/pkg/api"
	"github.com/sirupsen/logrus"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// command is one line of input.
type command struct {
	// listen, wait, run
	Do string `json:"do"`
	// listen: the socket's path, and protobuf bytes of the pod and of the container that all are copies of, but for their ids.
	Socket    string `json:"socket"`
	Pod       []byte `json:"pod"`
	Container []byte `json:"container"`
	// wait: how many plugins must have been synchronized since listen.
	Plugins int `json:"plugins"`
	// run: so many containers one after the other, each in a pod of its own.
	Containers int `json:"containers"`
	// run: no further container once this is over.
	MaxMillis int `json:"maxMillis"`
	// run: how long the runtime is idle between an answer and the next event.
	PauseMicros int `json:"pauseMicros"`
	// run: CreateContainer alone instead of all events of a container's life.
	CreateOnly bool `json:"createOnly"`
}

// answer is one line of output.
type answer struct {
	// run: CreateContainer's, each.
	Latencies []int64 `json:"latencies,omitempty"`
	Events    int     `json:"events,omitempty"`
	Elapsed   int64   `json:"elapsed,omitempty"`
	// run: what the plugins together changed in the last container.
	Adjustment json.RawMessage `json:"adjustment,omitempty"`
	Error      string          `json:"error,omitempty"`
}

func main() {
	logrus.SetLevel(logrus.WarnLevel)
	r := &race{}
	r.synchronized = sync.NewCond(&r.mutex)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c command
		err := json.Unmarshal(lines.Bytes(), &c)
		var a answer
		if err == nil {
			a, err = r.do(&c)
		}
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := output.Encode(a); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

type race struct {
	runtime   *adaptation.Adaptation
	pod       api.PodSandbox
	container api.Container
	serial    int

	mutex        sync.Mutex
	synchronized *sync.Cond
	plugins      int
}

func (r *race) do(c *command) (answer, error) {
	switch c.Do {
	case "listen":
		return answer{}, r.listen(c)
	case "wait":
		r.mutex.Lock()
		defer r.mutex.Unlock()
		for r.plugins < c.Plugins {
			r.synchronized.Wait()
		}
		return answer{}, nil
	case "run":
		return r.run(c)
	default:
		return answer{}, fmt.Errorf("no command %q", c.Do)
	}
}

func (r *race) listen(c *command) error {
	if err := proto.Unmarshal(c.Pod, &r.pod); err != nil {
		return err
	}
	if err := proto.Unmarshal(c.Container, &r.container); err != nil {
		return err
	}
	synchronize := func(ctx context.Context, callback adaptation.SyncCB) error {
		_, err := callback(ctx, nil, nil)
		if err == nil {
			r.mutex.Lock()
			r.plugins++
			r.mutex.Unlock()
			r.synchronized.Broadcast()
		}
		return err
	}
	update := func(context.Context, []*api.ContainerUpdate) ([]*api.ContainerUpdate, error) { return nil, nil }
	// The version is of a containerd that embeds NRI 0.8.
	runtime, err := adaptation.New("containerd", "v2.1.4", synchronize, update, adaptation.WithSocketPath(c.Socket),
		adaptation.WithPluginPath("/nonexistent"), adaptation.WithPluginConfigPath("/nonexistent"))
	if err != nil {
		return err
	}
	if err := runtime.Start(); err != nil {
		return err
	}
	r.runtime = runtime
	// Starting synchronizes the plugins of the plugin path, of which there are none, as if they were one.
	r.mutex.Lock()
	r.plugins = 0
	r.mutex.Unlock()
	return nil
}

func (r *race) run(c *command) (answer, error) {
	// The wait is over when the last plugin has been synchronized; this returns when it is in service.
	block := r.runtime.BlockPluginSync()
	defer block.Unblock()
	a := answer{Latencies: make([]int64, 0, c.Containers)}
	var adjustment *api.ContainerAdjustment
	began := time.Now()
	for range c.Containers {
		if time.Since(began) > time.Duration(c.MaxMillis)*time.Millisecond {
			break
		}
		r.serial++
		life := &life{
			command:   c,
			answer:    &a,
			runtime:   r.runtime,
			pod:       proto.Clone(&r.pod).(*api.PodSandbox),
			container: proto.Clone(&r.container).(*api.Container),
		}
		life.pod.Id = newID("pod", r.serial)
		life.container.Id = newID("container", r.serial)
		life.container.PodSandboxId = life.pod.Id
		if err := life.live(); err != nil {
			return a, err
		}
		adjustment = life.adjustment
	}
	a.Elapsed = time.Since(began).Nanoseconds()
	text, err := protojson.Marshal(adjustment)
	a.Adjustment = text
	return a, err
}

// newID has the length of a runtime's ids.
func newID(kind string, serial int) string {
	id := fmt.Sprintf("%s%d", kind, serial)
	return id + strings.Repeat("0", 64-len(id))
}

// life is one container's, and its pod's.
type life struct {
	command    *command
	answer     *answer
	runtime    *adaptation.Adaptation
	pod        *api.PodSandbox
	container  *api.Container
	adjustment *api.ContainerAdjustment
}

type step = func(context.Context) error

func (l *life) live() error {
	steps := []step{l.create}
	if !l.command.CreateOnly {
		steps = []step{
			l.ofPod(l.runtime.RunPodSandbox),
			l.create,
			l.ofContainer(l.runtime.PostCreateContainer, api.ContainerState_CONTAINER_CREATED),
			l.ofContainer(l.runtime.StartContainer, api.ContainerState_CONTAINER_CREATED),
			l.ofContainer(l.runtime.PostStartContainer, api.ContainerState_CONTAINER_RUNNING),
			l.update,
			l.ofContainer(l.runtime.PostUpdateContainer, api.ContainerState_CONTAINER_RUNNING),
			l.stop,
			l.ofContainer(l.runtime.RemoveContainer, api.ContainerState_CONTAINER_STOPPED),
			l.ofPod(l.runtime.StopPodSandbox),
			l.ofPod(l.runtime.RemovePodSandbox),
		}
	}
	for _, step := range steps {
		if l.command.PauseMicros > 0 {
			time.Sleep(time.Duration(l.command.PauseMicros) * time.Microsecond)
		}
		if err := step(context.Background()); err != nil {
			return err
		}
		l.answer.Events++
	}
	return nil
}

func (l *life) create(ctx context.Context) error {
	request := &api.CreateContainerRequest{Pod: l.pod, Container: l.container}
	began := time.Now()
	response, err := l.runtime.CreateContainer(ctx, request)
	l.answer.Latencies = append(l.answer.Latencies, time.Since(began).Nanoseconds())
	if err == nil {
		l.adjustment = response.Adjust
	}
	return err
}

func (l *life) update(ctx context.Context) error {
	resources := proto.Clone(l.container.Linux.Resources).(*api.LinuxResources)
	resources.Cpu.Shares = api.UInt64(uint64(512))
	request := &api.UpdateContainerRequest{Pod: l.pod, Container: l.container, LinuxResources: resources}
	_, err := l.runtime.UpdateContainer(ctx, request)
	return err
}

func (l *life) stop(ctx context.Context) error {
	request := &api.StopContainerRequest{Pod: l.pod, Container: l.container}
	_, err := l.runtime.StopContainer(ctx, request)
	return err
}

type stateChange = func(context.Context, *api.StateChangeEvent) error

func (l *life) ofPod(call stateChange) step {
	return func(ctx context.Context) error { return call(ctx, &api.StateChangeEvent{Pod: l.pod}) }
}

func (l *life) ofContainer(call stateChange, state api.ContainerState) step {
	return func(ctx context.Context) error {
		l.container.State = state
		return call(ctx, &api.StateChangeEvent{Pod: l.pod, Container: l.container})
	}
}

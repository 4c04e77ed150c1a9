// A plugin of upstream's kind (pkg/stub) with the job of upstream's device injector: YAML in the pod's annotations, devices and mounts into the
// container. Its index is appended to each path, so that many of them do not claim the same one.
//
//	plugin NAME INDEX SOCKET
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/containerd/nri/pkg/api"
	"github.com/containerd/nri/pkg/stub"
	"github.com/sirupsen/logrus"
	"sigs.k8s.io/yaml"
)

type device struct {
	Path     string `json:"path"`
	Type     string `json:"type"`
	Major    int64  `json:"major"`
	Minor    int64  `json:"minor"`
	FileMode uint32 `json:"file_mode"`
	UID      uint32 `json:"uid"`
	GID      uint32 `json:"gid"`
}

type mount struct {
	Source      string   `json:"source"`
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Options     []string `json:"options"`
}

type injector struct{ index string }

func main() {
	index := os.Args[2]
	plugin, err := stub.New(&injector{index}, stub.WithPluginName(os.Args[1]), stub.WithPluginIdx(index), stub.WithSocketPath(os.Args[3]))
	if err == nil {
		err = plugin.Run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (i *injector) CreateContainer(_ context.Context, pod *api.PodSandbox, container *api.Container) (*api.ContainerAdjustment, []*api.ContainerUpdate, error) {
	var devices []device
	if err := annotated(pod, "devices", container.Name, &devices); err != nil {
		return nil, nil, err
	}
	var mounts []mount
	if err := annotated(pod, "mounts", container.Name, &mounts); err != nil {
		return nil, nil, err
	}
	adjust := &api.ContainerAdjustment{}
	for _, d := range devices {
		added := &api.LinuxDevice{Path: d.Path + i.index, Type: d.Type, Major: d.Major, Minor: d.Minor}
		if d.FileMode != 0 {
			added.FileMode = api.FileMode(d.FileMode)
		}
		if d.UID != 0 {
			added.Uid = api.UInt32(d.UID)
		}
		if d.GID != 0 {
			added.Gid = api.UInt32(d.GID)
		}
		adjust.AddDevice(added)
	}
	for _, m := range mounts {
		adjust.AddMount(&api.Mount{Source: m.Source, Destination: m.Destination + i.index, Type: m.Type, Options: m.Options})
	}
	logrus.Infof("%s/%s: injected %d devices, %d mounts", pod.Name, container.Name, len(devices), len(mounts))
	return adjust, nil, nil
}

// annotated reads the most specific annotation of this kind: for the container, for the pod, bare.
func annotated(pod *api.PodSandbox, kind, container string, value any) error {
	for _, place := range []string{"/container." + container, "/pod", ""} {
		if text, ok := pod.Annotations[kind+".nri.io"+place]; ok {
			return yaml.Unmarshal([]byte(text), value)
		}
	}
	return nil
}

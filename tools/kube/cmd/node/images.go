package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// image says what an image stands for.
type image struct {
	Root          string            `json:"root"`          // the root file system; this machine's own by default
	Folders       map[string]string `json:"folders"`       // further folders of this machine, by their path in the image
	Command       []string          `json:"command"`       // what runs unless the container says otherwise
	WorkingFolder string            `json:"workingFolder"` // where it runs
	Env           map[string]string `json:"env"`
	UID           int64             `json:"uid"`
}

// images are named `repository` or, to tell versions apart, `repository:tag`.
type images map[string]image

func readImages(file string) (images, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("unable to read the table of images: %w", err)
	}
	table := images{}
	if err := json.Unmarshal(text, &table); err != nil {
		return nil, fmt.Errorf("unable to read the table of images: %s: %w", file, err)
	}
	return table, nil
}

// find tells which image a reference means: with its tag if the table has that, else any tag of its repository.
func (table images) find(reference string) (string, image, bool) {
	name, _, _ := strings.Cut(reference, "@")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "docker.io/"), "library/")
	if found, ok := table[name]; ok {
		return name, found, true
	}
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	found, ok := table[name]
	return name, found, ok
}

// imageService tells the kubelet that every image of the table is there. Its methods are those of the CRI.
type imageService struct {
	cri.UnimplementedImageServiceServer
	images images
	folder string
}

func (s *imageService) ListImages(context.Context, *cri.ListImagesRequest) (*cri.ListImagesResponse, error) {
	response := &cri.ListImagesResponse{}
	for _, name := range slices.Sorted(maps.Keys(s.images)) {
		response.Images = append(response.Images, describe(name, s.images[name]))
	}
	return response, nil
}

func (s *imageService) ImageStatus(_ context.Context, r *cri.ImageStatusRequest) (*cri.ImageStatusResponse, error) {
	if name, found, ok := s.images.find(r.GetImage().GetImage()); ok {
		return &cri.ImageStatusResponse{Image: describe(name, found)}, nil
	}
	return &cri.ImageStatusResponse{}, nil
}

func (s *imageService) PullImage(_ context.Context, r *cri.PullImageRequest) (*cri.PullImageResponse, error) {
	reference := r.GetImage().GetImage()
	name, _, ok := s.images.find(reference)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "no image %s in the table of this node", reference)
	}
	return &cri.PullImageResponse{ImageRef: name}, nil
}

// RemoveImage does nothing: there is nothing to gain by collecting what takes no space.
func (s *imageService) RemoveImage(context.Context, *cri.RemoveImageRequest) (*cri.RemoveImageResponse, error) {
	return &cri.RemoveImageResponse{}, nil
}

func (s *imageService) ImageFsInfo(context.Context, *cri.ImageFsInfoRequest) (*cri.ImageFsInfoResponse, error) {
	usage := []*cri.FilesystemUsage{{
		Timestamp:  time.Now().UnixNano(),
		FsId:       &cri.FilesystemIdentifier{Mountpoint: s.folder},
		UsedBytes:  &cri.UInt64Value{},
		InodesUsed: &cri.UInt64Value{},
	}}
	return &cri.ImageFsInfoResponse{ImageFilesystems: usage, ContainerFilesystems: usage}, nil
}

func describe(name string, i image) *cri.Image {
	return &cri.Image{Id: name, RepoTags: []string{name}, Size: 1, Uid: &cri.Int64Value{Value: i.UID}}
}

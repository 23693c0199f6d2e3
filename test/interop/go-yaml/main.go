// Command go-yaml decodes a YAML file with the library that the Collector uses and prints what it read, with Go's own
// types, one entry a line and sorted. Comparing two such prints tells whether two files mean the same to the Collector.
package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go-yaml FILE")
		os.Exit(2)
	}
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var root any
	if err := yaml.Unmarshal(data, &root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	show("", root)
}

func show(path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		showMap(path, v)
	case map[any]any:
		// The Collector's configuration library turns such keys into text in this way.
		text := make(map[string]any, len(v))
		for key, item := range v {
			text[fmt.Sprintf("%v", key)] = item
		}
		showMap(path, text)
	case []any:
		if len(v) == 0 {
			fmt.Printf("%s = []\n", path)
		}
		for index, item := range v {
			show(path+"["+strconv.Itoa(index)+"]", item)
		}
	case string:
		fmt.Printf("%s = string %s\n", path, strconv.QuoteToASCII(v))
	case time.Time:
		fmt.Printf("%s = time %s\n", path, v.Format(time.RFC3339Nano))
	case nil:
		fmt.Printf("%s = nil\n", path)
	default:
		fmt.Printf("%s = %T %v\n", path, v, v)
	}
}

func showMap(path string, values map[string]any) {
	if len(values) == 0 {
		fmt.Printf("%s = {}\n", path)
	}
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		show(path+"/"+strconv.QuoteToASCII(key), values[key])
	}
}

// Renders a Helm chart as Helm does: by Go's own text/template, with the few functions of Helm and Sprig that our chart
// uses. Arguments: the chart's folder. Standard input: what templates see (Values, Release, Chart), as JSON.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"text/template"
)

func isEmpty(value any) bool {
	switch one := value.(type) {
	case nil:
		return true
	case string:
		return one == ""
	case bool:
		return !one
	case float64:
		return one == 0
	case map[string]any:
		return len(one) == 0
	case []any:
		return len(one) == 0
	}
	return false
}

func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func indent(spaces int, lines string) string {
	padding := strings.Repeat(" ", spaces)
	return padding + strings.ReplaceAll(lines, "\n", "\n"+padding)
}

// In blocks, as Helm writes it, so that lists and mappings can be put below others.
func yamlLines(value any) ([]string, error) {
	var lines []string
	add := func(head string, inner any) error {
		below, err := yamlLines(inner)
		if err != nil {
			return err
		}
		if _, isMapping := inner.(map[string]any); head == "-" && isMapping && !isEmpty(inner) {
			// The first key stands behind the dash.
			lines = append(lines, "- "+below[0])
			below = below[1:]
		} else if isEmpty(inner) || len(below) == 1 && !isBlock(inner) {
			lines = append(lines, head+" "+below[0])
			below = nil
		} else {
			lines = append(lines, head)
		}
		for _, line := range below {
			lines = append(lines, "  "+line)
		}
		return nil
	}
	switch one := value.(type) {
	case map[string]any:
		if len(one) == 0 {
			return []string{"{}"}, nil
		}
		keys := make([]string, 0, len(one))
		for key := range one {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			if err := add(fmt.Sprintf("%q:", key), one[key]); err != nil {
				return nil, err
			}
		}
	case []any:
		if len(one) == 0 {
			return []string{"[]"}, nil
		}
		for _, item := range one {
			if err := add("-", item); err != nil {
				return nil, err
			}
		}
	default:
		// JSON is YAML.
		out, err := json.Marshal(value)
		return []string{string(out)}, err
	}
	return lines, nil
}

func isBlock(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return !isEmpty(value)
	}
	return false
}

func functions(all *template.Template) template.FuncMap {
	return template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var out bytes.Buffer
			err := all.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"quote": func(value any) string {
			if value == nil {
				return ""
			}
			return fmt.Sprintf("%q", text(value))
		},
		"default": func(byDefault any, value any) any {
			if isEmpty(value) {
				return byDefault
			}
			return value
		},
		"toYaml": func(value any) (string, error) {
			lines, err := yamlLines(value)
			return strings.Join(lines, "\n"), err
		},
		"indent":  indent,
		"nindent": func(spaces int, lines string) string { return "\n" + indent(spaces, lines) },
		"required": func(why string, value any) (any, error) {
			if value == nil || value == "" {
				return nil, errors.New(why)
			}
			return value, nil
		},
		"fail":       func(why string) (string, error) { return "", errors.New(why) },
		"dir":        path.Dir,
		"trimPrefix": func(prefix, whole string) string { return strings.TrimPrefix(whole, prefix) },
		"hasPrefix":  func(prefix, whole string) bool { return strings.HasPrefix(whole, prefix) },
		"regexMatch": func(pattern, whole string) (bool, error) { return regexp.MatchString(pattern, whole) },
		"toString":   text,
		"sha256sum":  func(whole string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(whole))) },
	}
}

func render(folder string) error {
	var data map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&data); err != nil {
		return err
	}
	// As Helm: what is not there is nothing, not an error.
	all := template.New("chart").Option("missingkey=zero")
	all.Funcs(functions(all))
	files, err := filepath.Glob(filepath.Join(folder, "templates", "*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := all.New(filepath.Base(file)).Parse(string(source)); err != nil {
			return err
		}
	}
	rendered := map[string]string{}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out bytes.Buffer
		if err := all.ExecuteTemplate(&out, name, data); err != nil {
			return err
		}
		rendered[name] = out.String()
	}
	return json.NewEncoder(os.Stdout).Encode(rendered)
}

func main() {
	if err := render(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

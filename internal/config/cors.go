package config

import (
	"slices"
	"strings"
)

// corsOrigins reads whose scripts may call the API from a browser. An origin is
// held to the rules of MATRICULA_URL, and written as browsers write it, so that
// the two can be compared byte by byte.
func (v variables) corsOrigins(c *Config) error {
	for i, typed := range v.list(varCORSOrigins) {
		origin, err := readURL(varCORSOrigins, typed)
		if err != nil || strings.Contains(origin, "*") {
			return wrong(varCORSOrigins, "cannot be used because of origin number %d: each must be a whole origin such as https://app.uni.example, without path, pattern or *; http is accepted for localhost only", i+1)
		}
		if !slices.Contains(c.CORSOrigins, origin) {
			c.CORSOrigins = append(c.CORSOrigins, origin)
		}
	}
	return nil
}

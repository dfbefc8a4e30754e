package api_test

import (
	"matricula/internal/access"
	"matricula/internal/service"
)

var (
	anonymous access.Caller
	noOptions service.Options
)

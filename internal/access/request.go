package access

import (
	"context"

	"matricula/internal/lms"
)

type callerKey struct{}

type callerOf struct {
	caller Caller
	user   lms.User
}

// WithCaller notes in a request's context who was found to be calling, for the
// handlers, which hand the caller on as an argument. Nothing below the handlers
// reads it.
func WithCaller(ctx context.Context, c Caller, u lms.User) context.Context {
	return context.WithValue(ctx, callerKey{}, callerOf{c, u})
}

// CallerOf tells a handler who is calling: the anonymous caller when nobody is
// signed in, with the zero user.
func CallerOf(ctx context.Context) (Caller, lms.User) {
	c, _ := ctx.Value(callerKey{}).(callerOf)
	return c.caller, c.user
}

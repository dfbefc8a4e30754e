package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// requestTimeout bounds each request to a provider, body included.
	requestTimeout = 5 * time.Second
	// exchangeTimeout bounds all the requests of one callback together.
	exchangeTimeout = 12 * time.Second
	// maxBody is the most that is read of any answer.
	maxBody = 1 << 20
)

// boundedClient is the client for every request to a provider. It follows no
// redirect: each address was configured or comes from the discovery document,
// and a code, a secret or a token must not be carried on to another.
func boundedClient(client *http.Client) *http.Client {
	bounded := http.Client{}
	if client != nil {
		bounded = *client
	}
	if bounded.Timeout <= 0 || bounded.Timeout > requestTimeout {
		bounded.Timeout = requestTimeout
	}
	bounded.Jar = nil
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &bounded
}

var errTooLarge = errors.New("the answer is larger than a megabyte")

// fetchClaims gets a JSON object, with the bearer token if there is one.
func fetchClaims(ctx context.Context, client *http.Client, address, bearer string) (claims, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", address, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", address, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("get %s: %w", address, errTooLarge)
	}
	c, err := parseClaims(body)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", address, err)
	}
	return c, nil
}

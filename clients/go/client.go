package portcullis

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// More than the largest receipt; a gate that sends more is not listened to.
const mostBytes = 64 << 20

// Refused is the gate's refusal, an RFC 9457 problem. Reason is a number of docs/spec/reasons.md, Retry says what may help.
type Refused struct {
	HTTPStatus int `json:"-"`
	Problem
}

func (r *Refused) Error() string {
	return fmt.Sprintf("%d %d %s: %s", r.HTTPStatus, r.Reason, r.Title, r.Detail)
}

// Client asks one gate with one key. Where no answer comes, what became of an act is not known: ask ReadAct, or send the
// same act again with the same idempotency key.
type Client struct {
	// Gate is what the gate's configuration calls itself, such as http://gate.internal:7400: signatures cover it.
	Gate string
	// Key signs the requests.
	Key Key
	// Genesis is the network's digest, pinned by hand.
	Genesis string
	// HTTP sends; http.DefaultClient where nothing is said.
	HTTP *http.Client
}

// NewID is 16 random bytes, in hexadecimal.
func NewID() string {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		panic(err) // no randomness: nothing may be signed
	}
	return hex.EncodeToString(id)
}

// Draft a new act on the newest checkpoint, that can be submitted for ten minutes. The account may be empty.
func (c *Client) Draft(ctx context.Context, realm, principal, account string, kind ActKind) (Act, error) {
	checkpoint, err := c.ReadCheckpoint(ctx)
	act := Act{Genesis: c.Genesis, Realm: realm, Principal: principal, Id: NewID(), Checkpoint: checkpoint.Digest,
		Expires: time.Now().Add(10 * time.Minute).UnixMilli(), Kind: kind}
	if account != "" {
		act.Account = &account
	}
	return act, err
}

// Ask what would become of an act, and for the passkey's options; nothing is journaled. The options are checked: they ask
// for an assertion over this act and no other.
func (c *Client) Ask(ctx context.Context, act Act) (Trial, error) {
	digest, err := act.Digest()
	if err != nil {
		return Trial{}, err
	}
	trial, err := c.SimulateAct(ctx, Submission{Act: act}, digest)
	if err == nil {
		err = same(digest, trial.Digest)
	}
	if err == nil && trial.Options != nil {
		err = CheckOptions(digest, *trial.Options)
	}
	return trial, err
}

// Submit an act. What it returns stands in the journal: released, or held with what it needs.
func (c *Client) Submit(ctx context.Context, act Act, evidence Evidence, idempotencyKey string) (Taken, error) {
	digest, err := act.Digest()
	if err != nil {
		return Taken{}, err
	}
	taken, err := c.SubmitAct(ctx, Submission{Act: act, Evidence: evidence}, digest, idempotencyKey)
	if err == nil {
		err = same(digest, taken.Digest)
	}
	return taken, err
}

func same(ours, theirs string) error {
	if ours != theirs {
		return fmt.Errorf("the gate answers about act %s, and %s was sent: %w", theirs, ours, ErrDiffers)
	}
	return nil
}

type ask struct {
	query          map[string]*int64
	body           any
	act            string
	idempotencyKey string
	signed         bool
}

func (c *Client) send(ctx context.Context, method, path string, asked ask, answer any) error {
	request, err := c.request(ctx, method, path, asked)
	if err != nil {
		return err
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	// A signed request goes where it was signed for, and nowhere that an answer names.
	staying := *client
	staying.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := staying.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, mostBytes))
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		refused := &Refused{HTTPStatus: response.StatusCode}
		// What stands between us and the gate may answer in its own words.
		_ = json.Unmarshal(said, &refused.Problem)
		return refused
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(said, answer)
}

func (c *Client) request(ctx context.Context, method, path string, asked ask) (*http.Request, error) {
	at, err := url.Parse(c.Gate + path)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	for name, value := range asked.query {
		if value != nil {
			query.Set(name, strconv.FormatInt(*value, 10))
		}
	}
	at.RawQuery = query.Encode()
	var body []byte
	if asked.body != nil {
		if body, err = json.Marshal(asked.body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	if asked.signed {
		if headers, err = c.Key.Headers(method, at, body, asked.act); err != nil {
			return nil, err
		}
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if asked.idempotencyKey != "" {
		request.Header.Set("Idempotency-Key", asked.idempotencyKey)
	}
	return request, nil
}

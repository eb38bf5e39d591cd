package portcullis

// Every vector of acts, factors, attestations and requests: docs/spec.

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

const spec = "../../docs/spec/"

func load(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(spec + "vectors/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// blocks are the JSON in a page's fences.
func blocks(t *testing.T, page string, one func(text []byte) error) {
	t.Helper()
	text, err := os.ReadFile(spec + page)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(text, -1) {
		if err := one(block[1]); err != nil {
			t.Error(err)
		}
	}
}

func TestActs(t *testing.T) {
	var vectors struct {
		Acts []struct {
			What, CBOR, Digest, Challenge string
			JSON                          json.RawMessage
		}
	}
	load(t, "acts", &vectors)
	if len(vectors.Acts) < 40 {
		t.Fatal("where are the vectors?")
	}
	for _, vector := range vectors.Acts {
		encoded, err := Encode("Act", vector.JSON)
		if err != nil || hex.EncodeToString(encoded) != vector.CBOR {
			t.Errorf("%s: %v %x", vector.What, err, encoded)
		}
		challenge, _ := Challenge(vector.Digest)
		if raw, _ := fromBase64(challenge); hex.EncodeToString(raw) != vector.Challenge {
			t.Errorf("%s: another challenge", vector.What)
		}
		// The same through the types, of what the description has.
		var act Act
		if err := json.Unmarshal(vector.JSON, &act); err != nil {
			t.Errorf("%s: %v", vector.What, err)
		} else if digest, err := act.Digest(); digest != vector.Digest {
			t.Errorf("%s: %v %s", vector.What, err, digest)
		}
	}
}

func TestFactorsAndAttestations(t *testing.T) {
	var factors struct {
		Factors []struct {
			What, ID string
			JSON     NewFactor
		}
	}
	load(t, "encoding", &factors)
	for _, vector := range factors.Factors {
		if vector.JSON.Passkey == nil && vector.JSON.RequestKey == nil {
			continue
		}
		if id, err := FactorID(vector.JSON); id != vector.ID {
			t.Errorf("%s: %v %s", vector.What, err, id)
		}
	}
	var evidence struct {
		Attestations []struct {
			What   string
			JSON   Attestation
			Signed string `json:"signed_bytes"`
		}
	}
	load(t, "evidence", &evidence)
	for _, vector := range evidence.Attestations {
		if signed, err := attestationBytes(vector.JSON.Statement); hex.EncodeToString(signed) != vector.Signed {
			t.Errorf("%s: %v", vector.What, err)
		}
	}
}

// Under the key of RFC 9421, appendix B.1.4.
func TestRequest(t *testing.T) {
	seed, _ := fromBase64("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU")
	key, err := NewKey(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	blocks(t, "request.md", func(text []byte) error {
		var v map[string]any
		if err := json.Unmarshal(text, &v); err != nil || v["body"] == nil {
			return err
		}
		tried++
		at, err := url.Parse("http://" + v["authority"].(string) + v["path"].(string) + "?" + v["query"].(string))
		names, lines, headers := cover(v["method"].(string), at, []byte(v["body"].(string)), v["Portcullis-Act"].(string))
		params := strings.TrimPrefix(v["Signature-Input"].(string), "portcullis=")
		base := signatureBase(lines, params)
		if string(base) != v["base"] || headers["Content-Digest"] != v["Content-Digest"] || !strings.HasPrefix(params, "("+names+")") {
			t.Errorf("%s", base)
		}
		if signed := base64.StdEncoding.EncodeToString(ed25519.Sign(key.private, base)); "portcullis=:"+signed+":" != v["Signature"] {
			t.Error("another signature")
		}
		return err
	})
	if tried != 1 {
		t.Error("where is the vector?")
	}
}

func TestPasskeysAreRelayedOnlyForTheirAct(t *testing.T) {
	blocks(t, "passkey.md", func(text []byte) error {
		var v struct {
			Digest    string `json:"act_digest"`
			Assertion Assertion
		}
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
		answer := AuthenticationResponse{RawID: v.Assertion.Credential}
		answer.Response.ClientDataJSON = v.Assertion.ClientData
		answer.Response.AuthenticatorData = v.Assertion.AuthenticatorData
		answer.Response.Signature = v.Assertion.Signature
		if relayed, err := Relay(v.Digest, answer); err != nil || relayed != v.Assertion {
			t.Error(err, relayed)
		}
		if _, err := Relay(strings.Repeat("00", 32), answer); !errors.Is(err, ErrDiffers) {
			t.Error(err)
		}
		ours, err := Challenge(v.Digest)
		if fault := CheckOptions(v.Digest, RequestOptions{Challenge: ours}); fault != nil {
			t.Error(fault)
		}
		if fault := CheckOptions(strings.Repeat("00", 32), RequestOptions{Challenge: ours}); !errors.Is(fault, ErrDiffers) {
			t.Error(fault)
		}
		return err
	})
}

func TestWhatIsNoActIsNotSigned(t *testing.T) {
	for _, kind := range []string{
		`{"type":"withdraw-all"}`,
		`{"type":"cancel"}`,
		`{"type":"cancel","act":"` + strings.Repeat("D1", 32) + `"}`,
		`{"type":"withdraw","asset":"eip155:1/slip44:60","to":"eip155:1:0x11","amount":"01"}`,
		`{"type":"withdraw","asset":"eip155:1/slip44:60","to":"eip155:1:0x11","amount":1}`,
		`{"type":"withdraw","asset":"eip155:1/slip44:60","to":"eip155:1:0x11","amount":"340282366920938463463374607431768211456"}`,
		`{"type":"withdraw","asset":"eip155:1/slip44:60","to":"eip155:1:0xAA","amount":"1"}`,
		`{"type":"withdraw","asset":"eip155:1/slip44:60","to":"eip155:1:0x11","amount":"1","memo":"1"}`,
	} {
		if encoded, err := Encode("ActKind", json.RawMessage(kind)); err == nil {
			t.Errorf("%s: %x", kind, encoded)
		}
	}
}

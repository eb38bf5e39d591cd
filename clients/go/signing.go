// Package portcullis is a back end's client of the Portcullis release gate, on Go's own library alone.
package portcullis

// What a back end signs and checks by itself, so that a gate in somebody else's hands can change nothing unseen: acts
// and their digests (docs/spec/acts.md), requests (request.md), attestations (evidence.md), passkeys (passkey.md).

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"strings"
	"time"
)

// ErrDiffers: the gate, or the page, answers about something else than was asked. Send nothing more; find out why.
var ErrDiffers = errors.New("differs from what was asked")

// The order of P-256's group (SEC 2). Of a signature's two forms of s only the lower one counts.
var p256Order, _ = new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)

// Bytes is the act's canonical CBOR.
func (a Act) Bytes() ([]byte, error) { return Encode("Act", a) }

// Digest is what a request's header Portcullis-Act says, and what every proof is made over.
func (a Act) Digest() (string, error) {
	encoded, err := a.Bytes()
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(domain("portcullis/act/v1", encoded)), nil
}

// Challenge of a passkey's assertion over the act with this digest, in base64url.
func Challenge(digest string) (string, error) {
	raw, err := hex.DecodeString(digest)
	return base64.RawURLEncoding.EncodeToString(domain("portcullis/passkey/v1", raw)), err
}

// FactorID is the id of a passkey or a request key; a request's keyid is one (docs/spec/encoding.md).
func FactorID(factor NewFactor) (id string, err error) {
	var identity []byte
	switch {
	case factor.Passkey != nil:
		identity, err = fromBase64(factor.Passkey.Credential)
	case factor.RequestKey != nil:
		identity, err = Encode("key", factor.RequestKey.Key)
	default:
		err = errors.New("the id of a factor of this kind is not for a client to compute")
	}
	return hex.EncodeToString(domain("portcullis/factor/v1", identity)[:16]), err
}

func domain(name string, message []byte) []byte {
	sum := sha256.Sum256(append([]byte(name+"\x00"), message...))
	return sum[:]
}

// Key is an Ed25519 key: a back end's that signs requests, or an issuer's that attests.
type Key struct {
	private ed25519.PrivateKey
	// ID is what a request's keyid says.
	ID string
}

// NewKey from a private key.
func NewKey(private ed25519.PrivateKey) (Key, error) {
	key := Key{private: private}
	id, err := FactorID(NewFactor{RequestKey: &NewFactorRequestKey{Key: key.Public()}})
	key.ID = id
	return key, err
}

// ReadKey from a file in PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it.
func ReadKey(path string) (Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return Key{}, fmt.Errorf("%s is no PEM", path)
	}
	read, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Key{}, err
	}
	private, ok := read.(ed25519.PrivateKey)
	if !ok {
		return Key{}, fmt.Errorf("%s holds no Ed25519 key", path)
	}
	return NewKey(private)
}

// Public half, as an act that enrols the key carries it.
func (k Key) Public() PublicKey {
	public := k.private.Public().(ed25519.PublicKey)
	return PublicKey{Kind: "ed25519", Key: base64.RawURLEncoding.EncodeToString(public)}
}

// Headers that sign a request. Sign each try anew: a nonce counts once, and for five minutes.
func (k Key) Headers(method string, at *url.URL, body []byte, act string) (map[string]string, error) {
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	names, lines, headers := cover(method, at, body, act)
	params := fmt.Sprintf(`(%s);created=%d;nonce="%s";keyid="%s";alg="ed25519";tag="portcullis"`,
		names, time.Now().Unix(), base64.RawURLEncoding.EncodeToString(nonce), k.ID)
	signature := ed25519.Sign(k.private, signatureBase(lines, params))
	headers["Signature-Input"] = "portcullis=" + params
	headers["Signature"] = "portcullis=:" + base64.StdEncoding.EncodeToString(signature) + ":"
	return headers, nil
}

// cover says what a signature covers, in its order, and the headers that carry the last two.
func cover(method string, at *url.URL, body []byte, act string) (string, []string, map[string]string) {
	var names, lines []string
	headers := map[string]string{}
	line := func(name, value string) {
		names = append(names, `"`+name+`"`)
		lines = append(lines, `"`+name+`": `+value)
	}
	line("@method", method)
	line("@authority", strings.ToLower(at.Host))
	line("@path", at.EscapedPath())
	if at.RawQuery != "" {
		line("@query", "?"+at.RawQuery)
	}
	if len(body) > 0 {
		sum := sha256.Sum256(body)
		headers["Content-Digest"] = "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
		line("content-digest", headers["Content-Digest"])
	}
	if act != "" {
		headers["Portcullis-Act"] = act
		line("portcullis-act", act)
	}
	return strings.Join(names, " "), lines, headers
}

// signatureBase is what is signed, and what stands in the journal.
func signatureBase(lines []string, params string) []byte {
	return []byte(strings.Join(append(lines, `"@signature-params": `+params), "\n"))
}

// Attest is this issuer's word about the act with this digest. Attest a debit only once the ledger has it.
func (k Key) Attest(issuer, act string, expires int64, claim Claim) (Attestation, error) {
	statement := AttestationStatement{Issuer: issuer, Act: act, Expires: expires, Claim: claim}
	signed, err := attestationBytes(statement)
	signature := base64.RawURLEncoding.EncodeToString(ed25519.Sign(k.private, signed))
	return Attestation{Statement: statement, Signature: signature}, err
}

func attestationBytes(statement AttestationStatement) ([]byte, error) {
	encoded, err := Encode("AttestationStatement", statement)
	return append([]byte("portcullis/attestation/v1\x00"), encoded...), err
}

// CheckOptions of the gate for the browser: that they ask for an assertion over this act and no other.
func CheckOptions(digest string, options RequestOptions) error {
	ours, err := Challenge(digest)
	if err == nil && options.Challenge != ours {
		err = fmt.Errorf("the gate's challenge is not that of act %s: %w", digest, ErrDiffers)
	}
	return err
}

// AuthenticationResponse is what of a browser's answer (PublicKeyCredential.toJSON()) is evidence.
type AuthenticationResponse struct {
	RawID    string `json:"rawId"`
	Response struct {
		ClientDataJSON    string `json:"clientDataJSON"`
		AuthenticatorData string `json:"authenticatorData"`
		Signature         string `json:"signature"`
	} `json:"response"`
}

// Relay a browser's answer as evidence for the act with this digest. What the authenticator signed goes on byte for byte;
// the signature turns from DER to r ‖ s with the low s. An answer to another challenge is refused here.
func Relay(digest string, answer AuthenticationResponse) (Assertion, error) {
	it := answer.Response
	client, err := fromBase64(it.ClientDataJSON)
	if err != nil {
		return Assertion{}, err
	}
	var said struct{ Type, Challenge string }
	if err := json.Unmarshal(client, &said); err != nil {
		return Assertion{}, err
	}
	ours, err := Challenge(digest)
	if err != nil || said.Type != "webauthn.get" || said.Challenge != ours {
		return Assertion{}, fmt.Errorf("the passkey did not assert act %s: %w", digest, ErrDiffers)
	}
	der, err := fromBase64(it.Signature)
	if err != nil {
		return Assertion{}, err
	}
	raw, err := lowSignature(der)
	return Assertion{Credential: answer.RawID, AuthenticatorData: it.AuthenticatorData, ClientData: it.ClientDataJSON,
		Signature: base64.RawURLEncoding.EncodeToString(raw)}, err
}

// lowSignature is an authenticator's as evidence carries it: Ed25519 as it is, P-256 from DER.
func lowSignature(signature []byte) ([]byte, error) {
	if len(signature) == 64 {
		return signature, nil
	}
	var halves struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signature, &halves)
	inside := func(half *big.Int) bool { return half.Sign() > 0 && half.Cmp(p256Order) < 0 }
	if err != nil || len(rest) > 0 || !inside(halves.R) || !inside(halves.S) {
		return nil, errors.New("this is neither an Ed25519 nor an ECDSA signature")
	}
	if other := new(big.Int).Sub(p256Order, halves.S); other.Cmp(halves.S) < 0 {
		halves.S = other
	}
	raw := make([]byte, 64)
	halves.R.FillBytes(raw[:32])
	halves.S.FillBytes(raw[32:])
	return raw, nil
}

package main

// What a browser and an authenticator do together, in software: for this example and for tests only. A real platform
// relays to navigator.credentials in its page instead, and never sees a key. This passkey says that a person was present
// and verified (WebAuthn Level 3, sections 5.8.1 and 6.1) where there was none.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"portcullis"
)

const present, verified, attested = 0x01, 0x04, 0x40

// SoftwarePasskey is one P-256 passkey for one relying party, used at one origin.
type SoftwarePasskey struct {
	rpID, origin string
	key          *ecdsa.PrivateKey
	credential   []byte
	count        uint32
}

func newPasskey(rpID, origin string) *SoftwarePasskey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	try(err)
	credential := make([]byte, 16)
	_, err = rand.Read(credential)
	try(err)
	return &SoftwarePasskey{rpID: rpID, origin: origin, key: key, credential: credential}
}

// Create is navigator.credentials.create(), without an attestation.
func (p *SoftwarePasskey) Create(challenge string) portcullis.RegistrationFinish {
	data := append(p.data(attested), make([]byte, 16)...)
	data = append(append(data, 0, byte(len(p.credential))), p.credential...)
	// A COSE key (RFC 9053): kty EC2, alg ES256, crv P-256, x, y.
	data = append(append(data, unhex("a5010203262001215820")...), p.key.X.FillBytes(make([]byte, 32))...)
	data = append(append(data, unhex("225820")...), p.key.Y.FillBytes(make([]byte, 32))...)
	// {"fmt": "none", "attStmt": {}, "authData": data}
	attestation := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return portcullis.RegistrationFinish{Challenge: challenge, Credential: portcullis.RegistrationFinishCredential{
		RawId: text(p.credential),
		Response: portcullis.RegistrationFinishCredentialResponse{
			ClientDataJSON:    text(p.clientData("webauthn.create", challenge)),
			AttestationObject: text(append(attestation, data...)),
		},
	}}
}

// Get is navigator.credentials.get().
func (p *SoftwarePasskey) Get(challenge string) portcullis.AuthenticationResponse {
	p.count++
	data, client := p.data(0), p.clientData("webauthn.get", challenge)
	hashed := sha256.Sum256(client)
	signed := sha256.Sum256(append(append([]byte{}, data...), hashed[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, p.key, signed[:])
	try(err)
	answer := portcullis.AuthenticationResponse{RawID: text(p.credential)}
	answer.Response.ClientDataJSON = text(client)
	answer.Response.AuthenticatorData = text(data)
	answer.Response.Signature = text(signature)
	return answer
}

func (p *SoftwarePasskey) data(flags byte) []byte {
	id := sha256.Sum256([]byte(p.rpID))
	return binary.BigEndian.AppendUint32(append(id[:], present|verified|flags), p.count)
}

func (p *SoftwarePasskey) clientData(what, challenge string) []byte {
	return []byte(fmt.Sprintf(`{"type":"%s","challenge":"%s","origin":"%s","crossOrigin":false}`, what, challenge, p.origin))
}

func text(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func unhex(digits string) []byte {
	raw, err := hex.DecodeString(digits)
	try(err)
	return raw
}

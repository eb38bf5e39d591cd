// One withdrawal, as a platform's back end brings it about: account, address, payment, receipt.
//
//	exchange platform.json       (examples/run go makes that file, and a gate to speak to)
//
// Every step is what integrate.md describes. In place of the customer's browser stands passkey.go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	. "portcullis"
)

type issuer struct{ Issuer, Key string }

type platform struct {
	Gate, Genesis, Origin, Asset, Payee, Amount, Receipt string

	RpID    string                          `json:"rp_id"`
	BackEnd struct{ Principal, Key string } `json:"back_end"`

	Onboarding, Ledger issuer
}

// exchange is the platform: its keys, its one customer, and how far it has followed the journal.
type exchange struct {
	platform
	gate                       *Client
	browser                    *SoftwarePasskey
	account, customer, subject string
	cursor                     *int64
}

var background = context.Background()

func main() {
	var it exchange
	text, err := os.ReadFile(os.Args[1])
	try(err)
	try(json.Unmarshal(text, &it.platform))
	it.gate = &Client{Gate: it.Gate, Key: read(it.BackEnd.Key), Genesis: it.Genesis}
	it.browser = newPasskey(it.RpID, it.Origin)
	it.account, it.customer, it.subject = NewID(), NewID(), NewID()

	it.openAccount(it.registerPasskey())
	it.waitUntil("the passkey counts", it.passkeyCounts)
	it.addAddress()
	it.waitUntil("the address may be paid", it.addressCounts)
	digest := it.withdraw()
	it.followToTheEnd(digest)
	it.keepReceipt(digest)
}

// The gate's options go to the browser, its answer back to the gate: that proves possession, and enrols nothing.
func (x *exchange) registerPasskey() NewFactor {
	options, err := x.gate.BeginRegistration(background, RegistrationAsk{
		Realm: "customers", RpId: x.RpID, RpName: "Example", User: "Y3VzdG9tZXI", UserName: "customer"})
	try(err)
	registered, err := x.gate.FinishRegistration(background, x.browser.Create(options.Challenge))
	try(err)
	tell("registered", "a passkey")
	return registered.Factor
}

// The back end's own act: its signed request proves it, and onboarding's word that the passkey is the holder's.
func (x *exchange) openAccount(factor NewFactor) {
	kind := ActKind{OpenAccount: &ActKindOpenAccount{Subject: x.subject, Principal: x.customer, Factor: factor}}
	act, err := x.gate.Draft(background, "staff", x.BackEnd.Principal, x.account, kind)
	try(err)
	said := attest(x.Onboarding, act, Claim{Onboarding: &ClaimOnboarding{}})
	x.submit(act, Evidence{Attestations: []Attestation{said}})
}

func (x *exchange) addAddress() {
	act := x.customersAct(ActKind{AddAddress: &ActKindAddAddress{Address: x.Payee}})
	x.submit(act, Evidence{Assertions: []Assertion{x.assertion(act)}})
}

// The ledger is debited first, and says so of this very act: its entry's id serves once, for ever.
func (x *exchange) withdraw() string {
	act := x.customersAct(ActKind{Withdraw: &ActKindWithdraw{Asset: x.Asset, To: x.Payee, Amount: x.Amount}})
	said := attest(x.Ledger, act, Claim{LedgerDebit: &ClaimLedgerDebit{Entry: NewID()}})
	x.submit(act, Evidence{Assertions: []Assertion{x.assertion(act)}, Attestations: []Attestation{said}})
	return digestOf(act)
}

func (x *exchange) customersAct(kind ActKind) Act {
	act, err := x.gate.Draft(background, "customers", x.customer, x.account, kind)
	try(err)
	return act
}

// What the gate would ask the browser is compared with what we would; then it is relayed, and so is the answer.
func (x *exchange) assertion(act Act) Assertion {
	trial, err := x.gate.Ask(background, act)
	try(err)
	if trial.Options == nil {
		try(errors.New("the gate does not ask for a passkey"))
	}
	assertion, err := Relay(digestOf(act), x.browser.Get(trial.Options.Challenge))
	try(err)
	return assertion
}

// Under a key of its own: if no answer comes, the same again does no harm.
func (x *exchange) submit(act Act, evidence Evidence) {
	taken, err := x.gate.Submit(background, act, evidence, act.Id)
	try(err)
	tell("submitted", fmt.Sprintf("%s… entry %d, held: %t", taken.Digest[:16], taken.Entry, taken.Decision != nil && taken.Decision.Hold != nil))
}

func (x *exchange) passkeyCounts(account Account) bool {
	for _, holder := range account.Holders {
		for _, factor := range holder.Factors {
			if factor.Counts && hasCome(factor.AvailableAt) {
				return true
			}
		}
	}
	return false
}

func (x *exchange) addressCounts(account Account) bool {
	for _, entry := range account.Addresses {
		if entry.Address == x.Payee && hasCome(entry.AvailableAt) {
			return true
		}
	}
	return false
}

// A delay runs from the witnesses' cosignature; the events are read on meanwhile.
func (x *exchange) waitUntil(what string, counts func(Account) bool) {
	for tries := 0; tries < 60; tries++ {
		account, err := x.gate.ReadAccount(background, x.account)
		try(err)
		if counts(account) {
			tell("now", what)
			return
		}
		x.news()
	}
	try(errors.New("waited in vain: " + what))
}

// The events say what became of the withdrawal; only confirmed and returned are ends.
func (x *exchange) followToTheEnd(digest string) {
	for tries := 0; tries < 60; tries++ {
		for _, event := range x.news() {
			stage := stageOf(digest, event)
			if stage == "" {
				continue
			}
			tell("event", fmt.Sprintf("%d %s: %s", event.Entry, event.Type, stage))
			switch stage {
			case "confirmed":
				return
			case "returned", "refused":
				try(errors.New("the withdrawal was " + stage + ": re-credit the customer"))
			}
		}
	}
	try(errors.New("waited in vain for the withdrawal"))
}

// stageOf an act in an event, which is about it or made something of it in passing.
func stageOf(digest string, event Event) string {
	if event.Act != nil && *event.Act == digest && event.Stage != nil {
		return *event.Stage
	}
	for _, other := range event.Others {
		if other.Act == digest {
			return other.Stage
		}
	}
	return ""
}

// news are the events since we last asked. A real platform keeps the cursor beside its ledger.
func (x *exchange) news() []Event {
	second := int64(1000)
	page, err := x.gate.ReadEvents(background, x.cursor, nil, &second)
	try(err)
	if page.Next != nil {
		x.cursor = page.Next
	}
	return page.Events
}

// Checkable offline, from the genesis digest alone: portcullis verify receipt.
func (x *exchange) keepReceipt(digest string) {
	for tries := 0; tries < 60; tries++ {
		receipt, err := x.gate.ReadReceipt(background, digest)
		var refused *Refused
		if errors.As(err, &refused) && refused.HTTPStatus == 404 {
			x.news()
			continue
		}
		try(err)
		text, err := json.Marshal(receipt)
		try(err)
		try(os.WriteFile(x.Receipt, text, 0o600))
		tell("receipt", x.Receipt)
		return
	}
	try(errors.New("waited in vain for the receipt"))
}

func attest(by issuer, act Act, claim Claim) Attestation {
	said, err := read(by.Key).Attest(by.Issuer, digestOf(act), act.Expires, claim)
	try(err)
	return said
}

func digestOf(act Act) string {
	digest, err := act.Digest()
	try(err)
	return digest
}

func read(path string) Key {
	key, err := ReadKey(path)
	try(err)
	return key
}

func hasCome(moment *int64) bool { return moment != nil && *moment <= time.Now().UnixMilli() }

func tell(what, more string) { fmt.Printf("%-14s%s\n", what, more) }

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

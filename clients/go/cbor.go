package portcullis

// Canonical CBOR (RFC 8949, section 4.2.1) as the layout has it, from the JSON that is sent.

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

var types = func() map[string][]string {
	read := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(layout), "\n") {
		words := strings.Fields(line)
		read[words[0]] = words[1:]
	}
	return read
}()

// Encode a value as canonical CBOR. The type is a name of clients/acts.layout, or a type of one value there.
func Encode(type_ string, value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	return encode(type_, tree)
}

func encode(type_ string, value any) ([]byte, error) {
	if strings.HasPrefix(type_, "[]") {
		return list(type_[2:], value)
	}
	if plain, ok := plains[type_]; ok {
		return plain(value)
	}
	shape := types[type_]
	if shape[0] == "enum" {
		for _, field := range shape[1:] {
			if word, number, _ := strings.Cut(field, "="); word == value {
				return head(0, json.Number(number))
			}
		}
		return nil, fmt.Errorf("there is no %s %v", type_, value)
	}
	record, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%v is no object", value)
	}
	if shape[0] == "choice" {
		return choice(type_, shape[1], record)
	}
	return members(shape[0], shape[1:], record, "")
}

func list(type_ string, value any) ([]byte, error) {
	all, ok := value.([]any)
	if !ok && value != nil {
		return nil, fmt.Errorf("%v is no list", value)
	}
	encoded, err := head(4, count(len(all)))
	for _, one := range all {
		inner, fault := encode(type_, one)
		if fault != nil {
			return nil, fault
		}
		encoded = append(encoded, inner...)
	}
	return encoded, err
}

func choice(type_, tag string, value map[string]any) ([]byte, error) {
	variant, ok := types[fmt.Sprintf("%s/%v", type_, value[tag])]
	if !ok {
		return nil, fmt.Errorf("there is no %s %v: is this client older than the gate?", type_, value[tag])
	}
	number, err := head(0, json.Number(variant[0]))
	if err != nil {
		return nil, err
	}
	inner, err := members(variant[1], variant[2:], value, tag)
	if variant[1] == "record" {
		inner = append([]byte{0x81}, inner...)
	}
	return append(append([]byte{0x82}, number...), inner...), err
}

// members of a record, a map by their numbers, or of a tuple. A member that has no place would not be signed.
func members(shape string, fields []string, value map[string]any, tag string) ([]byte, error) {
	known, there, encoded := map[string]bool{tag: true}, 0, []byte{}
	for _, field := range fields {
		parts := strings.Split(field, ":")
		name, type_ := parts[len(parts)-2], parts[len(parts)-1]
		plain := strings.TrimSuffix(name, "?")
		known[plain] = true
		one, ok := value[plain]
		if !ok && !strings.HasPrefix(type_, "[]") {
			if plain == name {
				return nil, fmt.Errorf("%s is missing", name)
			}
			continue
		}
		there++
		if shape == "record" {
			number, _ := head(0, json.Number(parts[0]))
			encoded = append(encoded, number...)
		}
		inner, err := encode(type_, one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", plain, err)
		}
		encoded = append(encoded, inner...)
	}
	for name := range value {
		if !known[name] {
			return nil, fmt.Errorf("there is no member %s", name)
		}
	}
	major := map[string]byte{"record": 5, "tuple": 4}[shape]
	start, err := head(major, count(there))
	return append(start, encoded...), err
}

func count(number int) json.Number { return json.Number(strconv.Itoa(number)) }

// head is a major type with its number, in the shortest form.
func head(major byte, value any) ([]byte, error) {
	text, _ := value.(json.Number)
	number, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%v is no whole number of 64 bits", value)
	}
	first := major << 5
	if number < 24 {
		return []byte{first | byte(number)}, nil
	}
	size, extra := 8, byte(27)
	for _, step := range []struct {
		size  int
		extra byte
	}{{4, 26}, {2, 25}, {1, 24}} {
		if number>>(8*step.size) == 0 {
			size, extra = step.size, step.extra
		}
	}
	encoded := []byte{first | extra}
	for i := size - 1; i >= 0; i-- {
		encoded = append(encoded, byte(number>>(8*i)))
	}
	return encoded, nil
}

var plains = map[string]func(any) ([]byte, error){
	"uint": func(value any) ([]byte, error) { return head(0, value) },
	"hex":  hexadecimal,
	"base64": func(value any) ([]byte, error) {
		text, _ := value.(string)
		raw, err := fromBase64(text)
		return prefixed(2, raw, err)
	},
	"amount": amount,
	"text":   utf8,
	"caip":   caip,
	"key":    key,
}

func prefixed(major byte, raw []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	start, err := head(major, count(len(raw)))
	return append(start, raw...), err
}

func hexadecimal(value any) ([]byte, error) {
	text, _ := value.(string)
	raw, err := hex.DecodeString(text)
	if err != nil || (len(raw) != 16 && len(raw) != 32) || strings.ToLower(text) != text {
		return nil, fmt.Errorf("%v is neither an id nor a digest: 32 or 64 lower-case hexadecimal digits", value)
	}
	return prefixed(2, raw, nil)
}

func amount(value any) ([]byte, error) {
	text, _ := value.(string)
	number, ok := new(big.Int).SetString(text, 10)
	if !ok || number.Sign() < 0 || number.BitLen() > 128 || number.String() != text {
		return nil, fmt.Errorf("%v is no amount: decimal digits of base units, below 2^128", value)
	}
	return prefixed(2, number.FillBytes(make([]byte, 16)), nil)
}

func utf8(value any) ([]byte, error) {
	text, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("%v is no text", value)
	}
	return prefixed(3, []byte(text), nil)
}

var bech32 = regexp.MustCompile(`(?i):(bc1|tb1|bcrt1)[^:]*$`)

// In its canonical spelling. Base58 and whatever other chains have stands as it is.
func caip(value any) ([]byte, error) {
	text, _ := value.(string)
	spelled, _, _ := strings.Cut(text, ":")
	if spelled == "eip155" || spelled == "bip122" && bech32.MatchString(text) {
		spelled = text
	}
	if strings.ToLower(spelled) != spelled {
		return nil, fmt.Errorf("%v: write chains, and addresses in hexadecimal or bech32, in lower case, as they are signed", value)
	}
	return utf8(value)
}

func key(value any) ([]byte, error) {
	public, _ := value.(map[string]any)
	number, ok := map[any]byte{"ed25519": 1, "p256": 2}[public["kind"]]
	text, _ := public["key"].(string)
	raw, err := fromBase64(text)
	if !ok || err != nil {
		return nil, fmt.Errorf("%v is no public key", value)
	}
	point, err := prefixed(2, raw, nil)
	return append([]byte{0x82, number}, point...), err
}

// fromBase64 reads base64url without padding; of one value one spelling is taken.
func fromBase64(text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil && base64.RawURLEncoding.EncodeToString(raw) != text {
		err = fmt.Errorf("%q is no base64url without padding", text)
	}
	return raw, err
}

// tagged is a form of a choice in JSON, with the member that names it.
func tagged(tag, word string, value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	start := fmt.Sprintf(`{"%s":"%s"`, tag, word)
	if string(text) == "{}" {
		return []byte(start + "}"), nil
	}
	return append([]byte(start+","), text[1:]...), nil
}

func tagOf(tag string, text []byte) (word string, err error) {
	var all map[string]json.RawMessage
	if err = json.Unmarshal(text, &all); err != nil {
		return "", err
	}
	return word, json.Unmarshal(all[tag], &word)
}

func unknown(raw json.RawMessage) ([]byte, error) {
	if raw == nil {
		return nil, fmt.Errorf("no form of a choice is there")
	}
	return raw, nil
}

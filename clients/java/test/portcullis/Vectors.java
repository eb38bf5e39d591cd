package portcullis;

import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import portcullis.Model.Act;
import portcullis.Model.Assertion;
import portcullis.Model.Attestation;
import portcullis.Model.NewFactor;
import portcullis.Model.PublicKey;
import portcullis.Model.RequestOptions;

/** Every vector of acts, factors, attestations and requests, from docs/spec. Ends with 1 if any is not made. */
final class Vectors {
  private static final Path SPEC = Path.of("docs/spec");
  private static int wrong;

  public static void main(String[] none) throws Exception {
    acts();
    factors();
    attestations();
    request();
    passkeys();
    noActs();
    signatures();
    System.exit(wrong == 0 ? 0 : 1);
  }

  private static void acts() throws Exception {
    List<?> acts = vectors("acts", "acts");
    same("how many acts", true, acts.size() > 40);
    for (Object one : acts) {
      Map<String, Object> vector = Json.object(one);
      String what = Json.text(vector.get("what"));
      same(what, vector.get("cbor"), hex(Cbor.encode("Act", vector.get("json"))));
      // The same through the types.
      same(what, vector.get("digest"), Signing.digest(Act.of(vector.get("json"))));
      String challenge = Signing.challenge(Json.text(vector.get("digest")));
      same(what, vector.get("challenge"), hex(Cbor.base64(challenge)));
    }
  }

  private static void factors() throws Exception {
    for (Object one : vectors("encoding", "factors")) {
      Map<String, Object> vector = Json.object(one);
      NewFactor factor = NewFactor.of(vector.get("json"));
      same("factor", vector.get("cbor"), hex(Cbor.encode("NewFactor", factor.json())));
      boolean ours = factor instanceof NewFactor.Passkey || factor instanceof NewFactor.RequestKey;
      if (ours) same("factor's id", vector.get("id"), Signing.factorId(factor));
    }
  }

  private static void attestations() throws Exception {
    for (Object one : vectors("evidence", "attestations")) {
      Map<String, Object> vector = Json.object(one);
      byte[] signed = Key.attestationBytes(Attestation.of(vector.get("json")).statement());
      same("attestation", vector.get("signed_bytes"), hex(signed));
    }
  }

  /** Under the key of RFC 9421, appendix B.1.4. */
  private static void request() throws Exception {
    Map<String, Object> vector = blocks("request.md").get(0);
    Key key = new Key(Cbor.base64("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"));
    same("public key", PublicKey.of(vector.get("key")), key.open());
    URI at = URI.create("http://" + vector.get("authority") + vector.get("path") + "?" + vector.get("query"));
    byte[] body = Json.text(vector.get("body")).getBytes(StandardCharsets.UTF_8);
    Map<String, String> covered = Key.cover("POST", at, body, Json.text(vector.get("Portcullis-Act")));
    byte[] base = Key.base(covered, Json.text(vector.get("Signature-Input")).replace("portcullis=", ""));
    same("signature base", vector.get("base"), new String(base, StandardCharsets.US_ASCII));
    String signature = "portcullis=:" + Base64.getEncoder().encodeToString(key.sign(base)) + ":";
    same("signature", vector.get("Signature"), signature);
    String made = key.headers("GET", URI.create("http://gate:7400/v1/events?after=1"), new byte[0], null).get("Signature-Input");
    String form = "portcullis=\\(\"@method\" \"@authority\" \"@path\" \"@query\"\\);created=\\d+;nonce=\"[\\w-]{16,64}\";keyid=\""
        + key.id() + "\";alg=\"ed25519\";tag=\"portcullis\"";
    same("parameters", true, made.matches(form));
  }

  private static void passkeys() throws Exception {
    for (Map<String, Object> vector : blocks("passkey.md")) {
      String digest = Json.text(vector.get("act_digest"));
      Assertion assertion = Assertion.of(vector.get("assertion"));
      Map<String, Object> answer = Map.of("rawId", assertion.credential(), "response", Map.of(
          "clientDataJSON", assertion.clientData(), "authenticatorData", assertion.authenticatorData(), "signature", assertion.signature()));
      same("relayed", assertion, Signing.relay(digest, answer));
      refused("another act's assertion", () -> Signing.relay("00".repeat(32), answer));
      RequestOptions options = new RequestOptions(Signing.challenge(digest), "", List.of(), "required", 0L);
      same("options", options, Signing.check(digest, options));
      refused("another act's options", () -> Signing.check("00".repeat(32), options));
    }
  }

  private static void noActs() {
    String withdraw = "{\"type\":\"withdraw\",\"asset\":\"eip155:1/slip44:60\",\"to\":\"eip155:1:0x11\",\"amount\":";
    for (String kind : List.of(
        "{\"type\":\"withdraw-all\"}",
        "{\"type\":\"cancel\"}",
        "{\"type\":\"cancel\",\"act\":\"" + "D1".repeat(32) + "\"}",
        withdraw + "\"01\"}",
        withdraw + "1}",
        withdraw + "\"340282366920938463463374607431768211456\"}",
        withdraw + "\"1\",\"memo\":\"1\"}",
        withdraw.replace("0x11", "0xAA") + "\"1\"}")) {
      refused(kind, () -> Cbor.encode("ActKind", Json.parse(kind)));
    }
    for (String text : List.of("", "{", "[1,]", "\"", "\"\\u12\"", "01x", "{\"a\":1}2", "[".repeat(100_000))) {
      refused("JSON " + text.substring(0, Math.min(text.length(), 9)), () -> Json.parse(text));
    }
  }

  private static void signatures() {
    BigInteger order = new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);
    String low = String.format("%064x%064x", 7, 5);
    String high = "3026020107022100" + order.subtract(BigInteger.valueOf(5)).toString(16);
    for (String der : List.of("3006020107020105", high)) {
      same("low s", low, hex(Signing.lowSignature(HexFormat.of().parseHex(der))));
    }
    for (String der : List.of("", "30", "3006020107020105ff", "3005020107020105", "3006020100020105", "3006027f07020105")) {
      refused("signature " + der, () -> Signing.lowSignature(HexFormat.of().parseHex(der)));
    }
  }

  private static List<?> vectors(String file, String name) throws Exception {
    String text = Files.readString(SPEC.resolve("vectors/" + file + ".json"));
    return (List<?>) Json.object(Json.parse(text)).get(name);
  }

  /** The JSON in a page's fences. */
  private static List<Map<String, Object>> blocks(String page) throws Exception {
    Matcher found = Pattern.compile("```json\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(SPEC.resolve(page)));
    List<Map<String, Object>> blocks = new ArrayList<>();
    while (found.find()) blocks.add(Json.object(Json.parse(found.group(1))));
    return blocks;
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static void same(String what, Object wanted, Object got) {
    if (wanted.equals(got)) return;
    wrong++;
    System.err.println(what + ":\n  wanted " + wanted + "\n  got    " + got);
  }

  private static void refused(String what, Runnable tried) {
    try {
      tried.run();
    } catch (IllegalArgumentException | IllegalStateException refusal) {
      return;
    }
    same(what, "refused", "taken");
  }
}

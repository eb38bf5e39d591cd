package portcullis;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import portcullis.Model.Act;
import portcullis.Model.Assertion;
import portcullis.Model.NewFactor;
import portcullis.Model.RequestOptions;

/**
 * What a back end computes and checks by itself, so that a gate in somebody else's hands can change nothing unseen: an act's
 * canonical bytes, digest and challenge (docs/spec/acts.md, passkey.md), and a browser's assertion on its way. {@link Key} signs.
 */
public final class Signing {
  /** The order of P-256's group (SEC 2). Of a signature's two forms of s only the lower one counts. */
  private static final BigInteger P256_ORDER =
      new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);

  private Signing() {}

  /** The act's canonical CBOR. */
  public static byte[] bytes(Act act) {
    return Cbor.encode("Act", act.json());
  }

  /** The act's digest: what a request's header Portcullis-Act says, and every proof is made over. */
  public static String digest(Act act) {
    return HexFormat.of().formatHex(hash("portcullis/act/v1", bytes(act)));
  }

  /** The challenge of a passkey's assertion over the act with this digest, in base64url. */
  public static String challenge(String digest) {
    return Cbor.base64(hash("portcullis/passkey/v1", HexFormat.of().parseHex(digest)));
  }

  /** The id of a passkey or a request key; a request's keyid is one (docs/spec/encoding.md). */
  public static String factorId(NewFactor factor) {
    byte[] identity;
    if (factor instanceof NewFactor.Passkey passkey) identity = Cbor.base64(passkey.credential());
    else if (factor instanceof NewFactor.RequestKey request) identity = Cbor.encode("key", request.key().json());
    else throw new IllegalArgumentException("the id of a factor of this kind is not for a client to compute");
    return HexFormat.of().formatHex(hash("portcullis/factor/v1", identity), 0, 16);
  }

  /** The gate's options for the browser, if they ask for an assertion over this act and no other. */
  public static RequestOptions check(String digest, RequestOptions options) {
    if (options.challenge().equals(challenge(digest))) return options;
    throw new Differs("the gate's challenge is not that of act " + digest);
  }

  /**
   * A browser's answer (PublicKeyCredential.toJSON()) as evidence for the act with this digest. What the authenticator signed
   * goes on byte for byte; the signature turns from DER to r ‖ s with the low s. An answer to another challenge is refused.
   */
  public static Assertion relay(String digest, Map<String, Object> answer) {
    Map<String, Object> response = Json.object(answer.get("response"));
    String client = Json.text(response.get("clientDataJSON"));
    Map<String, Object> said = Json.object(Json.parse(new String(Cbor.base64(client), StandardCharsets.UTF_8)));
    if (!"webauthn.get".equals(said.get("type")) || !challenge(digest).equals(said.get("challenge"))) {
      throw new Differs("the passkey did not assert act " + digest);
    }
    byte[] signature = lowSignature(Cbor.base64(Json.text(response.get("signature"))));
    String data = Json.text(response.get("authenticatorData"));
    return new Assertion(Json.text(answer.get("rawId")), data, client, Cbor.base64(signature));
  }

  /** An authenticator's signature as evidence carries it: Ed25519 as it is, P-256 from DER. */
  static byte[] lowSignature(byte[] der) {
    if (der.length == 64) return der;
    int second = der.length > 4 ? 4 + der[3] : 0;
    if (second < 5 || second + 2 > der.length || der[0] != 0x30 || der[1] != der.length - 2 || second + 2 + der[second + 1] != der.length) {
      throw new IllegalArgumentException("this is neither an Ed25519 nor an ECDSA signature");
    }
    BigInteger r = half(der, 2);
    BigInteger s = half(der, second);
    return Cbor.joined(Cbor.fixed(r, 32), Cbor.fixed(s.min(P256_ORDER.subtract(s)), 32));
  }

  private static BigInteger half(byte[] der, int at) {
    BigInteger half = new BigInteger(Arrays.copyOfRange(der, at + 2, at + 2 + der[at + 1]));
    if (der[at] == 0x02 && half.signum() > 0 && half.compareTo(P256_ORDER) < 0) return half;
    throw new IllegalArgumentException("this is no ECDSA signature");
  }

  private static byte[] hash(String domain, byte[] message) {
    return sha256(Cbor.joined((domain + "\0").getBytes(StandardCharsets.US_ASCII), message));
  }

  static byte[] sha256(byte[] message) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(message);
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException("every JDK has SHA-256", missing);
    }
  }
}

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;

/**
 * What a browser and an authenticator do together, in software: for this example and for tests only. A real platform relays
 * to navigator.credentials in its page instead, and never sees a key. This passkey says that a person was present and
 * verified (WebAuthn Level 3, sections 5.8.1 and 6.1) where there was none.
 */
final class SoftwarePasskey {
  private static final int PRESENT = 0x01;
  private static final int VERIFIED = 0x04;
  private static final int ATTESTED = 0x40;
  private final String rpId;
  private final String origin;
  private final KeyPair pair;
  private final byte[] credential = new byte[16];
  private int count;

  SoftwarePasskey(String rpId, String origin) throws Exception {
    this.rpId = rpId;
    this.origin = origin;
    KeyPairGenerator maker = KeyPairGenerator.getInstance("EC");
    maker.initialize(new ECGenParameterSpec("secp256r1"));
    pair = maker.generateKeyPair();
    new SecureRandom().nextBytes(credential);
  }

  /** navigator.credentials.create(): a RegistrationResponseJSON, without an attestation. */
  Map<String, Object> create(String challenge) throws Exception {
    ECPublicKey open = (ECPublicKey) pair.getPublic();
    // A COSE key (RFC 9053): kty EC2, alg ES256, crv P-256, x, y.
    byte[] cose = joined(hex("a5010203262001215820"), half(open.getW().getAffineX()), hex("225820"), half(open.getW().getAffineY()));
    byte[] data = joined(data(ATTESTED), new byte[16], new byte[] {0, 16}, credential, cose);
    // {"fmt": "none", "attStmt": {}, "authData": data}
    byte[] head = "\u00a3\u0063fmt\u0064none\u0067attStmt\u00a0\u0068authData\u0058".getBytes(StandardCharsets.ISO_8859_1);
    byte[] attestation = joined(head, new byte[] {(byte) data.length}, data);
    return answer(Map.of("clientDataJSON", text(clientData("webauthn.create", challenge)), "attestationObject", text(attestation)));
  }

  /** navigator.credentials.get(): an AuthenticationResponseJSON. */
  Map<String, Object> get(String challenge) throws Exception {
    count++;
    byte[] data = data(0);
    byte[] client = clientData("webauthn.get", challenge);
    Signature signer = Signature.getInstance("SHA256withECDSA");
    signer.initSign(pair.getPrivate());
    signer.update(joined(data, sha256(client)));
    return answer(Map.of("clientDataJSON", text(client), "authenticatorData", text(data), "signature", text(signer.sign())));
  }

  private Map<String, Object> answer(Map<String, Object> response) {
    return Map.of("rawId", text(credential), "response", response);
  }

  private byte[] data(int flags) throws Exception {
    byte[] counted = ByteBuffer.allocate(4).putInt(count).array();
    return joined(sha256(rpId.getBytes(StandardCharsets.UTF_8)), new byte[] {(byte) (PRESENT | VERIFIED | flags)}, counted);
  }

  private byte[] clientData(String type, String challenge) {
    String text = "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\",\"crossOrigin\":false}";
    return String.format(text, type, challenge, origin).getBytes(StandardCharsets.UTF_8);
  }

  /** A coordinate in 32 bytes. */
  private static byte[] half(BigInteger number) {
    return hex(String.format("%064x", number));
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }

  private static byte[] sha256(byte[] bytes) throws Exception {
    return MessageDigest.getInstance("SHA-256").digest(bytes);
  }

  private static String text(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) out.writeBytes(part);
    return out.toByteArray();
  }
}

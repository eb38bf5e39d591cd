package portcullis;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import portcullis.Model.Attestation;
import portcullis.Model.AttestationStatement;
import portcullis.Model.Claim;
import portcullis.Model.NewFactor;
import portcullis.Model.PublicKey;

/** An Ed25519 key: a back end's that signs requests (docs/spec/request.md), or an issuer's that attests (evidence.md). */
public final class Key {
  private static final SecureRandom RANDOM = new SecureRandom();
  private final PrivateKey secret;
  private final PublicKey open;
  private final String id;

  /** From the 32 bytes of RFC 8032's private key. */
  public Key(byte[] seed) throws GeneralSecurityException {
    KeyPair pair = pair(seed);
    this.secret = pair.getPrivate();
    byte[] encoded = pair.getPublic().getEncoded();
    this.open = new PublicKey("ed25519", Cbor.base64(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length)));
    this.id = Signing.factorId(new NewFactor.RequestKey(open));
  }

  /** From a file in PEM (PKCS#8), as {@code openssl genpkey -algorithm ed25519} writes it. */
  public static Key read(Path path) throws IOException, GeneralSecurityException {
    String text = Files.readString(path).replaceAll("-----[A-Z ]+-----|\\s", "");
    byte[] der = Base64.getDecoder().decode(text);
    // RFC 8410: one form of 48 bytes, the seed at its end.
    byte[] head = java.util.HexFormat.of().parseHex("302e020100300506032b657004220420");
    if (der.length != 48 || !Arrays.equals(head, Arrays.copyOf(der, 16))) throw new IOException(path + " holds no Ed25519 key");
    return new Key(Arrays.copyOfRange(der, 16, 48));
  }

  /** The JDK computes a public key only where it makes the pair; so it is given the seed as its randomness. */
  private static KeyPair pair(byte[] seed) throws GeneralSecurityException {
    KeyPairGenerator maker = KeyPairGenerator.getInstance("Ed25519");
    maker.initialize(255, new SecureRandom() {
      private static final long serialVersionUID = 1;

      @Override
      public void nextBytes(byte[] bytes) {
        System.arraycopy(seed, 0, bytes, 0, bytes.length);
      }
    });
    return maker.generateKeyPair();
  }

  /** Its public half, as an act that enrols it carries it. */
  public PublicKey open() {
    return open;
  }

  /** What a request's keyid says. */
  public String id() {
    return id;
  }

  /** 64 bytes, RFC 8032. */
  byte[] sign(byte[] message) {
    try {
      Signature signer = Signature.getInstance("Ed25519");
      signer.initSign(secret);
      signer.update(message);
      return signer.sign();
    } catch (GeneralSecurityException fault) {
      throw new IllegalStateException("the key does not sign", fault);
    }
  }

  /** The headers that sign a request. Sign each try anew: a nonce counts once, and for five minutes. */
  Map<String, String> headers(String method, URI at, byte[] body, String act) {
    Map<String, String> headers = new LinkedHashMap<>();
    Map<String, String> covered = cover(method, at, body, act);
    byte[] nonce = new byte[24];
    RANDOM.nextBytes(nonce);
    String parameters = String.format("(\"%s\");created=%d;nonce=\"%s\";keyid=\"%s\";alg=\"ed25519\";tag=\"portcullis\"",
        String.join("\" \"", covered.keySet()), System.currentTimeMillis() / 1000, Cbor.base64(nonce), id);
    if (body.length > 0) headers.put("Content-Digest", covered.get("content-digest"));
    if (act != null) headers.put("Portcullis-Act", act);
    headers.put("Signature-Input", "portcullis=" + parameters);
    headers.put("Signature", "portcullis=:" + Base64.getEncoder().encodeToString(sign(base(covered, parameters))) + ":");
    return headers;
  }

  /** What a signature covers, in its order. */
  static Map<String, String> cover(String method, URI at, byte[] body, String act) {
    Map<String, String> covered = new LinkedHashMap<>();
    covered.put("@method", method);
    covered.put("@authority", at.getRawAuthority().toLowerCase(Locale.ROOT));
    covered.put("@path", at.getRawPath());
    if (at.getRawQuery() != null) covered.put("@query", "?" + at.getRawQuery());
    if (body.length > 0) covered.put("content-digest", "sha-256=:" + Base64.getEncoder().encodeToString(Signing.sha256(body)) + ":");
    if (act != null) covered.put("portcullis-act", act);
    return covered;
  }

  /** The signature base: what is signed, and what stands in the journal. */
  static byte[] base(Map<String, String> covered, String parameters) {
    List<String> lines = new ArrayList<>();
    covered.forEach((name, value) -> lines.add("\"" + name + "\": " + value));
    lines.add("\"@signature-params\": " + parameters);
    return String.join("\n", lines).getBytes(StandardCharsets.US_ASCII);
  }

  /** This issuer's word about the act with this digest. Attest a debit only once the ledger has it. */
  public Attestation attest(String issuer, String act, long expires, Claim claim) {
    AttestationStatement statement = new AttestationStatement(issuer, act, expires, claim);
    return new Attestation(statement, Cbor.base64(sign(attestationBytes(statement))));
  }

  static byte[] attestationBytes(AttestationStatement statement) {
    byte[] domain = "portcullis/attestation/v1\0".getBytes(StandardCharsets.US_ASCII);
    return Cbor.joined(domain, Cbor.encode("AttestationStatement", statement.json()));
  }
}

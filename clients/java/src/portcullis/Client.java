package portcullis;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import portcullis.Model.Act;
import portcullis.Model.ActKind;
import portcullis.Model.Evidence;
import portcullis.Model.Submission;
import portcullis.Model.Taken;
import portcullis.Model.Trial;

/**
 * One gate, asked with one key. Where no answer comes, an IOException says so, and what became of an act is not known: ask
 * {@link #readAct}, or send the same act again with the same idempotency key. A refusal is {@link Refused}.
 */
public final class Client extends Api {
  private static final SecureRandom RANDOM = new SecureRandom();
  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final String gate;
  private final Key key;
  private final String genesis;

  /**
   * @param gate what the gate's configuration calls itself, such as http://gate.internal:7400: signatures cover it
   * @param genesis the network's digest, pinned by hand
   */
  public Client(String gate, Key key, String genesis) {
    this.gate = gate;
    this.key = key;
    this.genesis = genesis;
  }

  /** 16 random bytes, in hexadecimal. */
  public static String newId() {
    byte[] id = new byte[16];
    RANDOM.nextBytes(id);
    return HexFormat.of().formatHex(id);
  }

  /** A new act on the newest checkpoint, that can be submitted for ten minutes. The account may be null. */
  public Act draft(String realm, String principal, String account, ActKind kind) throws IOException, InterruptedException {
    long expires = System.currentTimeMillis() + 600_000;
    return new Act(genesis, realm, principal, newId(), readCheckpoint().digest(), expires, kind, account);
  }

  /**
   * What would become of an act, and the options for the customer's passkey; nothing is journaled. The options are checked:
   * they ask for an assertion over this act and no other.
   */
  public Trial ask(Act act) throws IOException, InterruptedException {
    String digest = Signing.digest(act);
    Trial trial = simulateAct(new Submission(act, new Evidence(null, null, null, null, null, null)), digest);
    same(digest, trial.digest());
    if (trial.options() != null) Signing.check(digest, trial.options());
    return trial;
  }

  /** Submit an act. What it returns stands in the journal: released, or held with what it needs. */
  public Taken submit(Act act, Evidence evidence, String idempotencyKey) throws IOException, InterruptedException {
    String digest = Signing.digest(act);
    Taken taken = submitAct(new Submission(act, evidence), digest, idempotencyKey);
    same(digest, taken.digest());
    return taken;
  }

  private static void same(String ours, String theirs) {
    if (!ours.equals(theirs)) throw new Differs("the gate answers about act " + theirs + ", and " + ours + " was sent");
  }

  /** What of a query is there. */
  static Map<String, Long> query(Object... pairs) {
    Map<String, Long> query = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      if (pairs[i + 1] != null) query.put((String) pairs[i], (Long) pairs[i + 1]);
    }
    return query;
  }

  @Override
  Object send(String method, String path, Ask ask) throws IOException, InterruptedException {
    StringBuilder target = new StringBuilder(gate).append(path);
    String between = "?";
    for (Map.Entry<String, Long> one : (ask.query() == null ? Map.<String, Long>of() : ask.query()).entrySet()) {
      target.append(between).append(one.getKey()).append('=').append(one.getValue());
      between = "&";
    }
    URI at = URI.create(target.toString());
    byte[] body = ask.body() == null ? new byte[0] : Json.write(ask.body().json()).getBytes(StandardCharsets.UTF_8);
    HttpRequest.Builder request = HttpRequest.newBuilder(at).timeout(Duration.ofSeconds(60));
    request.method(method, body.length == 0 ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body));
    if (ask.signed()) key.headers(method, at, body, ask.act()).forEach(request::header);
    if (body.length > 0) request.header("Content-Type", "application/json");
    if (ask.idempotencyKey() != null) request.header("Idempotency-Key", ask.idempotencyKey());
    HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() >= 300) throw new Refused(answer.statusCode(), problem(answer.body()));
    return answer.body().isEmpty() ? null : Json.parse(answer.body());
  }

  /** What stands between us and the gate may answer in its own words. */
  private static Map<String, Object> problem(String said) {
    try {
      return Json.object(Json.parse(said));
    } catch (IllegalArgumentException others) {
      return Map.of("title", "no problem of a gate's");
    }
  }
}

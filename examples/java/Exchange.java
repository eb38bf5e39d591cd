import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import portcullis.Client;
import portcullis.Json;
import portcullis.Key;
import portcullis.Model.Account;
import portcullis.Model.Act;
import portcullis.Model.ActKind;
import portcullis.Model.Assertion;
import portcullis.Model.Attestation;
import portcullis.Model.Claim;
import portcullis.Model.Decision;
import portcullis.Model.Event;
import portcullis.Model.Events;
import portcullis.Model.Evidence;
import portcullis.Model.NewFactor;
import portcullis.Model.RegistrationAsk;
import portcullis.Model.RegistrationFinish;
import portcullis.Model.Taken;
import portcullis.Model.Trial;
import portcullis.Refused;
import portcullis.Signing;

/**
 * One withdrawal, as a platform's back end brings it about: account, address, payment, receipt.
 *
 * <pre>java Exchange platform.json       (examples/run java makes that file, and a gate to speak to)</pre>
 *
 * Every step is what integrate.md describes. In place of the customer's browser stands {@link SoftwarePasskey}.
 */
final class Exchange {
  private final Map<?, ?> platform;
  private final Client gate;
  private final SoftwarePasskey browser;
  private final String account = Client.newId();
  private final String customer = Client.newId();
  private final String subject = Client.newId();
  /** How far the journal was followed. A real platform keeps it beside its ledger. */
  private Long cursor;

  private Exchange(Map<?, ?> platform) throws Exception {
    this.platform = platform;
    this.gate = new Client(said("gate"), key("back_end"), said("genesis"));
    this.browser = new SoftwarePasskey(said("rp_id"), said("origin"));
  }

  public static void main(String[] arguments) throws Exception {
    new Exchange((Map<?, ?>) Json.parse(Files.readString(Path.of(arguments[0])))).run();
  }

  private void run() throws Exception {
    openAccount(registerPasskey());
    waitUntil("the passkey counts", this::passkeyCounts);
    addAddress();
    waitUntil("the address may be paid", this::addressCounts);
    String digest = withdraw();
    followToTheEnd(digest);
    keepReceipt(digest);
  }

  /** The gate's options go to the browser, its answer back to the gate: that proves possession, and enrols nothing. */
  private NewFactor registerPasskey() throws Exception {
    RegistrationAsk ask = new RegistrationAsk("customers", said("rp_id"), "Example", "Y3VzdG9tZXI", "customer", null, null);
    String challenge = gate.beginRegistration(ask).challenge();
    Map<String, Object> finish = Map.of("challenge", challenge, "credential", browser.create(challenge));
    NewFactor factor = gate.finishRegistration(RegistrationFinish.of(finish)).factor();
    tell("registered", "a passkey");
    return factor;
  }

  /** The back end's own act: its signed request proves it, and onboarding's word that the passkey is the holder's. */
  private void openAccount(NewFactor factor) throws Exception {
    ActKind kind = new ActKind.OpenAccount(subject, customer, factor, null, null, null);
    Act act = gate.draft("staff", said("back_end", "principal"), account, kind);
    submit(act, evidence(null, attest("onboarding", act, new Claim.Onboarding())));
  }

  private void addAddress() throws Exception {
    Act act = customersAct(new ActKind.AddAddress(said("payee")));
    submit(act, evidence(assertion(act), null));
  }

  /** The ledger is debited first, and says so of this very act: its entry's id serves once, for ever. */
  private String withdraw() throws Exception {
    Act act = customersAct(new ActKind.Withdraw(said("asset"), said("payee"), said("amount")));
    submit(act, evidence(assertion(act), attest("ledger", act, new Claim.LedgerDebit(Client.newId()))));
    return Signing.digest(act);
  }

  private Act customersAct(ActKind kind) throws Exception {
    return gate.draft("customers", customer, account, kind);
  }

  /** What the gate would ask the browser is compared with what we would; then it is relayed, and so is the answer. */
  private Assertion assertion(Act act) throws Exception {
    Trial trial = gate.ask(act);
    return Signing.relay(Signing.digest(act), browser.get(trial.options().challenge()));
  }

  private Attestation attest(String issuer, Act act, Claim claim) throws Exception {
    return key(issuer).attest(said(issuer, "issuer"), Signing.digest(act), act.expires(), claim);
  }

  private static Evidence evidence(Assertion assertion, Attestation attestation) {
    List<Assertion> assertions = assertion == null ? null : List.of(assertion);
    return new Evidence(null, assertions, attestation == null ? null : List.of(attestation), null, null, null);
  }

  /** Under a key of its own: if no answer comes, the same again does no harm. */
  private void submit(Act act, Evidence evidence) throws Exception {
    Taken taken = gate.submit(act, evidence, act.id());
    String held = taken.decision() instanceof Decision.Hold hold ? "held: " + hold.needs() : "released";
    tell("submitted", taken.digest().substring(0, 16) + "… entry " + taken.entry() + ": " + held);
  }

  private boolean passkeyCounts(Account account) {
    return account.holders().stream().flatMap(holder -> holder.factors().stream())
        .anyMatch(factor -> factor.counts() && hasCome(factor.availableAt()));
  }

  private boolean addressCounts(Account account) {
    return account.addresses().stream().anyMatch(entry -> entry.address().equals(said("payee")) && hasCome(entry.availableAt()));
  }

  /** A delay runs from the witnesses' cosignature; the events are read on meanwhile. */
  private void waitUntil(String what, Predicate<Account> counts) throws Exception {
    for (int tries = 0; tries < 60; tries++) {
      if (counts.test(gate.readAccount(account))) {
        tell("now", what);
        return;
      }
      news();
    }
    throw new IllegalStateException("waited in vain: " + what);
  }

  /** The events say what became of the withdrawal; only confirmed and returned are ends. */
  private void followToTheEnd(String digest) throws Exception {
    for (int tries = 0; tries < 60; tries++) {
      for (Event event : news()) {
        String stage = stageOf(digest, event);
        if (stage == null) continue;
        tell("event", event.entry() + " " + event.type() + ": " + stage);
        if (stage.equals("confirmed")) return;
        if (stage.equals("returned") || stage.equals("refused")) throw new IllegalStateException("re-credit: it was " + stage);
      }
    }
    throw new IllegalStateException("waited in vain for the withdrawal");
  }

  /** What an event says of an act: it is about it, or it made something of it in passing. */
  private static String stageOf(String digest, Event event) {
    if (digest.equals(event.act())) return event.stage();
    if (event.others() == null) return null;
    return event.others().stream().filter(other -> other.act().equals(digest)).map(other -> other.stage()).findFirst().orElse(null);
  }

  private List<Event> news() throws Exception {
    Events page = gate.readEvents(cursor, null, 1000L);
    cursor = page.next() == null ? cursor : page.next();
    return page.events();
  }

  /** Checkable offline, from the genesis digest alone: portcullis verify receipt. */
  private void keepReceipt(String digest) throws Exception {
    for (int tries = 0; tries < 60; tries++) {
      try {
        Files.writeString(Path.of(said("receipt")), Json.write(gate.readReceipt(digest).json()));
        tell("receipt", said("receipt"));
        return;
      } catch (Refused refused) {
        if (refused.status != 404) throw refused;
        news();
      }
    }
    throw new IllegalStateException("waited in vain for the receipt");
  }

  private Key key(String whose) throws Exception {
    return Key.read(Path.of(said(whose, "key")));
  }

  private String said(String... names) {
    Object value = platform;
    for (String name : names) value = ((Map<?, ?>) value).get(name);
    return (String) value;
  }

  private static boolean hasCome(Long moment) {
    return moment != null && moment <= System.currentTimeMillis();
  }

  private static void tell(String what, String more) {
    System.out.printf("%-14s%s%n", what, more);
  }
}

package portcullis;

import java.io.IOException;
import java.util.Map;

/** The gate's refusal: an RFC 9457 problem. */
public final class Refused extends IOException {
  private static final long serialVersionUID = 1;
  /** HTTP's status. */
  public final int status;
  /** A number of docs/spec/reasons.md; 0 where something else than a gate answered. */
  public final long reason;
  /** What may help: never, anew, later. */
  public final String retry;

  Refused(int status, Map<String, Object> problem) {
    super(status + " " + problem);
    this.status = status;
    this.reason = problem.get("reason") instanceof Long number ? number : 0;
    this.retry = problem.get("retry") instanceof String text ? text : null;
  }
}

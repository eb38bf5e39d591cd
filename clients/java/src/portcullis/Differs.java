package portcullis;

/** The gate, or the page, answers about something else than was asked: send nothing more, and find out why. */
public final class Differs extends IllegalStateException {
  private static final long serialVersionUID = 1;

  Differs(String what) {
    super(what);
  }
}

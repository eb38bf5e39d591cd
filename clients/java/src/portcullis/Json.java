package portcullis;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** JSON (RFC 8259), as far as the gate speaks it: maps, lists, texts, whole numbers, flags and null. */
public final class Json {
  private static final int DEEPEST = 64;
  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /** A text's value. Anything else than one value of JSON is an IllegalArgumentException. */
  public static Object parse(String text) {
    Json json = new Json(text);
    Object value = json.value(0);
    json.space();
    if (json.at < text.length()) throw json.wrong();
    return value;
  }

  /** A value's text. */
  public static String write(Object value) {
    StringBuilder out = new StringBuilder();
    write(value, out);
    return out.toString();
  }

  /** A value of the model as maps and lists. */
  static Object of(Object value) {
    if (value instanceof Model model) return model.json();
    if (value instanceof List<?> list) return list.stream().map(Json::of).toList();
    return value;
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> object(Object value) {
    if (value instanceof Map<?, ?>) return (Map<String, Object>) value;
    throw new IllegalArgumentException(value + " is no object");
  }

  static String text(Object value) {
    return (String) value;
  }

  static Long number(Object value) {
    return (Long) value;
  }

  static Boolean flag(Object value) {
    return (Boolean) value;
  }

  static <T> T maybe(Object value, Function<Object, T> read) {
    return value == null ? null : read.apply(value);
  }

  static <T> List<T> list(Object value, Function<Object, T> read) {
    return value == null ? null : ((List<?>) value).stream().map(it -> read.apply(it)).toList();
  }

  private Object value(int depth) {
    space();
    if (depth > DEEPEST || at >= text.length()) throw wrong();
    char first = text.charAt(at);
    if (first == '{') return members(depth);
    if (first == '[') return elements(depth);
    if (first == '"') return string();
    if (first == '-' || Character.isDigit(first)) return whole();
    if (word("true")) return true;
    if (word("false")) return false;
    if (word("null")) return null;
    throw wrong();
  }

  private Map<String, Object> members(int depth) {
    Map<String, Object> members = new LinkedHashMap<>();
    at++;
    if (next('}')) return members;
    do {
      space();
      String name = string();
      expect(':');
      members.put(name, value(depth + 1));
    } while (next(','));
    expect('}');
    return members;
  }

  private List<Object> elements(int depth) {
    List<Object> elements = new ArrayList<>();
    at++;
    if (next(']')) return elements;
    do elements.add(value(depth + 1));
    while (next(','));
    expect(']');
    return elements;
  }

  private String string() {
    if (at >= text.length() || text.charAt(at) != '"') throw wrong();
    StringBuilder read = new StringBuilder();
    for (at++; at < text.length(); at++) {
      char one = text.charAt(at);
      if (one == '"') {
        at++;
        return read.toString();
      }
      if (one < 0x20) throw wrong();
      read.append(one == '\\' ? escaped() : one);
    }
    throw wrong();
  }

  private char escaped() {
    at++;
    if (at >= text.length()) throw wrong();
    int plain = "\"\\/bfnrt".indexOf(text.charAt(at));
    if (plain >= 0) return "\"\\/\b\f\n\r\t".charAt(plain);
    if (text.charAt(at) != 'u' || at + 4 >= text.length()) throw wrong();
    at += 4;
    return (char) Integer.parseInt(text, at - 3, at + 1, 16);
  }

  private Long whole() {
    int start = at++;
    while (at < text.length() && Character.isDigit(text.charAt(at))) at++;
    return Long.valueOf(text.substring(start, at));
  }

  private boolean word(String word) {
    boolean there = text.startsWith(word, at);
    if (there) at += word.length();
    return there;
  }

  private boolean next(char wanted) {
    space();
    boolean there = at < text.length() && text.charAt(at) == wanted;
    if (there) at++;
    return there;
  }

  private void expect(char wanted) {
    if (!next(wanted)) throw wrong();
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
  }

  private IllegalArgumentException wrong() {
    return new IllegalArgumentException("no JSON of the gate's at character " + at);
  }

  private static void write(Object value, StringBuilder out) {
    if (value instanceof String string) {
      quote(string, out);
    } else if (value instanceof Map<?, ?> map) {
      String between = "{";
      for (Map.Entry<?, ?> member : map.entrySet()) {
        out.append(between);
        quote((String) member.getKey(), out);
        out.append(':');
        write(member.getValue(), out);
        between = ",";
      }
      out.append(map.isEmpty() ? "{}" : "}");
    } else if (value instanceof List<?> list) {
      String between = "[";
      for (Object one : list) {
        out.append(between);
        write(one, out);
        between = ",";
      }
      out.append(list.isEmpty() ? "[]" : "]");
    } else {
      out.append(value);
    }
  }

  private static void quote(String text, StringBuilder out) {
    out.append('"');
    for (char one : text.toCharArray()) {
      if (one == '"' || one == '\\') out.append('\\').append(one);
      else if (one < 0x20) out.append(String.format("\\u%04x", (int) one));
      else out.append(one);
    }
    out.append('"');
  }
}

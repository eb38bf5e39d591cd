package portcullis;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Canonical CBOR (RFC 8949, section 4.2.1) as the layout has it, from the JSON that is sent. */
final class Cbor {
  private static final Map<String, String[]> TYPES = new HashMap<>();

  static {
    for (String line : Layout.TEXT.strip().split("\n")) {
      String[] words = line.split(" ", 2);
      TYPES.put(words[0], words[1].split(" "));
    }
  }

  private Cbor() {}

  /** The type is a name of clients/acts.layout, or a type of one value there; an IllegalArgumentException says what is wrong. */
  static byte[] encode(String type, Object value) {
    if (type.startsWith("[]")) return list(type.substring(2), value);
    String[] shape = TYPES.get(type);
    if (shape == null) return plain(type, value);
    if (shape[0].equals("enum")) return enumeration(type, shape, value);
    Map<String, Object> members = Json.object(value);
    if (shape[0].equals("choice")) return choice(type, shape[1], members);
    return members(shape[0], shape, 1, members, null);
  }

  private static byte[] list(String type, Object value) {
    List<?> all = value == null ? List.of() : (List<?>) value;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(head(4, all.size()));
    for (Object one : all) out.writeBytes(encode(type, one));
    return out.toByteArray();
  }

  private static byte[] enumeration(String type, String[] shape, Object value) {
    for (int i = 1; i < shape.length; i++) {
      String[] word = shape[i].split("=");
      if (word[0].equals(value)) return head(0, Long.parseLong(word[1]));
    }
    throw new IllegalArgumentException("there is no " + type + " " + value);
  }

  private static byte[] choice(String type, String tag, Map<String, Object> value) {
    String[] variant = TYPES.get(type + "/" + value.get(tag));
    if (variant == null) {
      throw new IllegalArgumentException("there is no " + type + " " + value.get(tag) + ": is this client older than the gate?");
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(head(4, 2));
    out.writeBytes(head(0, Long.parseLong(variant[0])));
    if (variant[1].equals("record")) out.writeBytes(head(4, 1));
    out.writeBytes(members(variant[1], variant, 2, value, tag));
    return out.toByteArray();
  }

  /** A record is a map by its members' numbers, a tuple an array. A member that has no place would not be signed. */
  private static byte[] members(String shape, String[] fields, int from, Map<String, Object> value, String tag) {
    Set<String> unknown = new HashSet<>(value.keySet());
    unknown.remove(tag);
    ByteArrayOutputStream inner = new ByteArrayOutputStream();
    int there = 0;
    for (int i = from; i < fields.length; i++) {
      String[] parts = fields[i].split(":");
      String type = parts[parts.length - 1];
      String name = parts[parts.length - 2].replace("?", "");
      unknown.remove(name);
      Object one = value.get(name);
      if (one == null && !type.startsWith("[]")) {
        if (parts[parts.length - 2].endsWith("?")) continue;
        throw new IllegalArgumentException(name + " is missing");
      }
      there++;
      if (shape.equals("record")) inner.writeBytes(head(0, Long.parseLong(parts[0])));
      inner.writeBytes(encode(type, one));
    }
    if (!unknown.isEmpty()) throw new IllegalArgumentException("there is no member " + unknown);
    return joined(head(shape.equals("record") ? 5 : 4, there), inner.toByteArray());
  }

  private static byte[] plain(String type, Object value) {
    return switch (type) {
      case "uint" -> head(0, number(value));
      case "hex" -> bytes(2, hex(text(value)));
      case "base64" -> bytes(2, base64(text(value)));
      case "amount" -> bytes(2, amount(text(value)));
      case "text" -> bytes(3, text(value).getBytes(StandardCharsets.UTF_8));
      case "caip" -> bytes(3, caip(text(value)).getBytes(StandardCharsets.UTF_8));
      case "key" -> key(Json.object(value));
      default -> throw new IllegalArgumentException("there is no type " + type);
    };
  }

  /** A major type with its number, in the shortest form. */
  private static byte[] head(int major, long number) {
    if (number < 0) throw new IllegalArgumentException(number + " is below zero");
    int first = major << 5;
    if (number < 24) return new byte[] {(byte) (first | number)};
    int size = number < 1L << 8 ? 1 : number < 1L << 16 ? 2 : number < 1L << 32 ? 4 : 8;
    byte[] out = new byte[1 + size];
    out[0] = (byte) (first | 24 + Integer.numberOfTrailingZeros(size));
    for (int i = 0; i < size; i++) out[size - i] = (byte) (number >> 8 * i);
    return out;
  }

  private static byte[] bytes(int major, byte[] value) {
    return joined(head(major, value.length), value);
  }

  private static long number(Object value) {
    if (value instanceof Long number) return number;
    throw new IllegalArgumentException(value + " is no whole number");
  }

  private static String text(Object value) {
    if (value instanceof String text) return text;
    throw new IllegalArgumentException(value + " is no text");
  }

  private static byte[] hex(String text) {
    if (!text.matches("[0-9a-f]{32}|[0-9a-f]{64}")) {
      throw new IllegalArgumentException(text + " is neither an id nor a digest: 32 or 64 lower-case hexadecimal digits");
    }
    return HexFormat.of().parseHex(text);
  }

  private static byte[] amount(String text) {
    if (!text.matches("0|[1-9][0-9]{0,38}") || new BigInteger(text).bitLength() > 128) {
      throw new IllegalArgumentException(text + " is no amount: decimal digits of base units, below 2^128");
    }
    return fixed(new BigInteger(text), 16);
  }

  private static final Pattern BECH32 = Pattern.compile(":(bc1|tb1|bcrt1)[^:]*$", Pattern.CASE_INSENSITIVE);

  /** In its canonical spelling. Base58 and whatever other chains have stands as it is. */
  private static String caip(String text) {
    String namespace = text.split(":", 2)[0];
    boolean isBech32 = namespace.equals("bip122") && BECH32.matcher(text).find();
    String spelled = namespace.equals("eip155") || isBech32 ? text : namespace;
    if (spelled.chars().anyMatch(Character::isUpperCase)) {
      throw new IllegalArgumentException(
          text + ": write chains, and addresses in hexadecimal or bech32, in lower case, as they are signed");
    }
    return text;
  }

  private static byte[] key(Map<String, Object> key) {
    int number = switch (text(key.get("kind"))) {
      case "ed25519" -> 1;
      case "p256" -> 2;
      default -> throw new IllegalArgumentException("there is no key of kind " + key.get("kind"));
    };
    return joined(new byte[] {(byte) 0x82, (byte) number}, bytes(2, base64(text(key.get("key")))));
  }

  /** From base64url without padding; of one value one spelling is taken. */
  static byte[] base64(String text) {
    byte[] read = Base64.getUrlDecoder().decode(text);
    if (base64(read).equals(text)) return read;
    throw new IllegalArgumentException(text + " is no base64url without padding");
  }

  /** To it. */
  static String base64(byte[] value) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(value);
  }

  /** A number in so many bytes, big-endian. */
  static byte[] fixed(BigInteger number, int size) {
    byte[] out = new byte[size];
    byte[] signed = number.toByteArray();
    int skipped = Math.max(0, signed.length - size);
    System.arraycopy(signed, skipped, out, size - signed.length + skipped, signed.length - skipped);
    return out;
  }

  static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) out.writeBytes(part);
    return out.toByteArray();
  }
}

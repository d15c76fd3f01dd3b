package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/// Python's string operations where they differ from Java's; a character is a code point.
final class PyStrings {
    private PyStrings() {}

    static boolean isSpace(int c) {
        return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || Character.isSpaceChar(c);
    }

    static String stripLeft(String s, IntPredicate drop) {
        int start = 0;
        while (start < s.length() && drop.test(s.codePointAt(start))) {
            start += Character.charCount(s.codePointAt(start));
        }
        return s.substring(start);
    }

    static String stripRight(String s, IntPredicate drop) {
        int end = s.length();
        while (end > 0 && drop.test(s.codePointBefore(end))) {
            end -= Character.charCount(s.codePointBefore(end));
        }
        return s.substring(0, end);
    }

    static String stripRight(String s) {
        return stripRight(s, PyStrings::isSpace);
    }

    static List<String> characters(String s) {
        return s.codePoints().mapToObj(Character::toString).toList();
    }

    /// `split` on white space; `limit` is the most splits, or negative for no limit.
    static List<Object> splitSpace(String s, long limit) {
        List<Object> parts = new ArrayList<>();
        String rest = stripLeft(s, PyStrings::isSpace);
        while (!rest.isEmpty()) {
            int end = 0;
            while (end < rest.length() && !isSpace(rest.charAt(end))) {
                end++;
            }
            if (limit >= 0 && parts.size() == limit) {
                parts.add(stripRight(rest));
                break;
            }
            parts.add(rest.substring(0, end));
            rest = stripLeft(rest.substring(end), PyStrings::isSpace);
        }
        return parts;
    }

    static List<Object> split(String s, String separator, long limit) {
        List<Object> parts = new ArrayList<>();
        int start = 0;
        for (int i = s.indexOf(separator);
                i >= 0 && (limit < 0 || parts.size() < limit);
                i = s.indexOf(separator, start)) {
            parts.add(s.substring(start, i));
            start = i + separator.length();
        }
        parts.add(s.substring(start));
        return parts;
    }

    static List<Object> splitFromRight(String s, String separator, long limit) {
        List<Object> parts = new ArrayList<>();
        int end = s.length();
        while (limit < 0 || parts.size() < limit) {
            int i = end < separator.length() ? -1 : s.lastIndexOf(separator, end - separator.length());
            if (i < 0) {
                break;
            }
            parts.addFirst(s.substring(i + separator.length(), end));
            end = i;
        }
        parts.addFirst(s.substring(0, end));
        return parts;
    }

    static List<Object> lines(String s, boolean keepEnds) {
        List<Object> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c == '\n' || c == '\r') {
                int end = c == '\r' && i + 1 < s.length() && s.charAt(i + 1) == '\n' ? i + 2 : i + 1;
                lines.add(s.substring(start, keepEnds ? end : i));
                start = end;
                i = end - 1;
            }
        }
        if (start < s.length()) {
            lines.add(s.substring(start));
        }
        return lines;
    }

    static String title(String s) {
        StringBuilder out = new StringBuilder();
        boolean inWord = false;
        for (int c : s.codePoints().toArray()) {
            out.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return out.toString();
    }

    /// The filter `title`, which unlike the method begins words only after white space, a hyphen or an opening bracket.
    static String titleWords(String s) {
        StringBuilder out = new StringBuilder();
        boolean inWord = false;
        for (int c : s.codePoints().toArray()) {
            out.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toUpperCase(c));
            inWord = !isSpace(c) && "-({[<".indexOf(c) < 0;
        }
        return out.toString();
    }

    static String capitalize(String s) {
        if (s.isEmpty()) {
            return s;
        }
        int first = s.codePointAt(0);
        return Character.toString(Character.toTitleCase(first))
                + s.substring(Character.charCount(first)).toLowerCase(java.util.Locale.ROOT);
    }

    static boolean all(String s, IntPredicate test) {
        return !s.isEmpty() && s.codePoints().allMatch(test);
    }

    /// Whether some character has a case and all that have are of the wanted one.
    static boolean cased(String s, boolean upper) {
        IntPredicate right = upper ? Character::isUpperCase : Character::isLowerCase;
        IntPredicate wrong = upper ? Character::isLowerCase : Character::isUpperCase;
        return s.codePoints().anyMatch(right) && s.codePoints().noneMatch(wrong);
    }

    /// Python's `repr` of a string.
    static String quote(String s) {
        char quote = s.contains("'") && !s.contains("\"") ? '"' : '\'';
        StringBuilder out = new StringBuilder().append(quote);
        s.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                case '\r' -> out.append("\\r");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c < 32 || c == 127) {
                        out.append(String.format(Locale.ROOT, "\\x%02x", c));
                    } else {
                        out.append(c == quote ? "\\" : "").appendCodePoint(c);
                    }
                }
            }
        });
        return out.append(quote).toString();
    }

    /// The value of a string literal's body, escapes as in Python; an unknown escape stays as it is.
    static String unescape(String body) {
        if (body.indexOf('\\') < 0) {
            return body;
        }
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < body.length(); i++) {
            char c = body.charAt(i);
            if (c != '\\' || i + 1 == body.length()) {
                out.append(c);
                continue;
            }
            char escape = body.charAt(++i);
            int simple = "ntrabfv0\\'\"".indexOf(escape);
            int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
            if (simple >= 0) {
                out.append("\n\t\r\u0007\b\f\u000b\0\\'\"".charAt(simple));
            } else if (digits > 0 && i + digits < body.length() && isHex(body.substring(i + 1, i + 1 + digits))) {
                out.appendCodePoint(Integer.parseInt(body.substring(i + 1, i + 1 + digits), 16));
                i += digits;
            } else if (escape != '\n') {
                out.append('\\').append(escape);
            }
        }
        return out.toString();
    }

    private static boolean isHex(String digits) {
        return digits.chars().allMatch(c -> Character.digit(c, 16) >= 0)
                && Long.parseLong(digits, 16) <= Character.MAX_CODE_POINT;
    }
}

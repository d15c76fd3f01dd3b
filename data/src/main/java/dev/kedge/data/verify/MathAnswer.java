package dev.kedge.data.verify;

import dev.kedge.data.verify.LatexTokens.Kind;
import dev.kedge.data.verify.LatexTokens.Token;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// A mathematical answer in a normal form. Equal are:
///
/// - `\frac{1}{2}`, `\dfrac12`, `1/2` and `0.5`; `1\frac{1}{2}`, `1 1/2` and `3/2`; `10,\!080`, `10,080` and `10080`;
///   `6.7 \times 10^{-2}` and `0.067`;
/// - what differs in spaces, sizes of brackets, fonts, order of summands and factors: `6-5i` and `-5i+6`,
///   `\frac{\sqrt{3}}{4}` and `\frac14 \sqrt3`;
/// - lists and sets in any order, unions of intervals, `1\pm\sqrt2` and both its values; pairs and intervals keep
///   their order and their brackets;
/// - `x = 5` or `x \in [1,2]` and the value alone; `90^\circ`, `5 \text{ cm}`, `15\%` and the number alone; `15\%` and
///   `0.15`. Two different names, or two different known units, are not equal;
/// - words whatever their case, `\text{(C)}` and `C`.
///
/// This is no computer algebra: nothing is expanded, factored or worked out, so `1+1` is not `2` and `\sqrt{4}` is not
/// `2`. What cannot be read so is compared as text without its spaces.
///
/// @param canonical the value without name and unit; equal values are equal strings
/// @param name      what it is the value of, as `x`; empty if not said
/// @param unit      a known unit; empty if not said
/// @param hundredth the value of a percentage as a number, as the canonical form has it; empty otherwise
record MathAnswer(String canonical, String name, String unit, String hundredth) {
    /// The longest answer, characters; longer texts are none.
    static final int MAX_CHARACTERS = 2000;

    private static final String FONTS = "\\\\(?:text|mbox|textbf|textit|textrm|textnormal|mathrm|mathbf)\\s*";
    private static final Pattern FONT = Pattern.compile(FONTS + "(?=\\{)");
    private static final Pattern FONT_GROUP = Pattern.compile(FONTS + "\\{([^{}]*+)}");
    private static final Pattern SET_ONLY =
            Pattern.compile("\\\\left|\\\\right|\\\\[!,;: ]|\\\\q?quad(?![A-Za-z])|[\\s~$]");
    private static final Pattern WORDS = Pattern.compile("[\\p{L}(][\\p{L}\\s.,'()-]*");
    private static final Pattern WORD = Pattern.compile("\\p{L}{3}");
    private static final Set<String> RELATIONS = Set.of("=", "<", ">", "<=", ">=", "!=", "in");

    /// What this normal form has no place for.
    static final class Unread extends RuntimeException {
        Unread() {
            super(null, null, false, false);
        }
    }

    /// @return empty if there is no answer: nothing, or more than [#MAX_CHARACTERS]
    static Optional<MathAnswer> read(String latex) {
        if (latex.length() > MAX_CHARACTERS) {
            return Optional.empty();
        }
        String text = latex.strip().replaceAll("[.,;:\\s]++$", "");
        if (text.isEmpty() || text.chars().allMatch(c -> "${}\\!,;: ".indexOf(c) >= 0)) {
            return Optional.empty();
        }
        String words = FONT.matcher(text).replaceAll("").replaceAll("[{}$]", "");
        if (WORDS.matcher(words).matches() && WORD.matcher(words).find() && !LatexParser.isFunction(words)) {
            return Optional.of(named(words(words)));
        }
        try {
            return Optional.of(parsed(LatexTokens.of(text)));
        } catch (Unread e) {
            String bare = FONT_GROUP
                    .matcher(text.replaceAll("\\\\[dt]frac", "\\\\frac"))
                    .replaceAll("$1");
            String close = SET_ONLY.matcher(bare).replaceAll("");
            return Optional.of(named("text " + close.replaceAll("[.]++$", "")));
        }
    }

    private static MathAnswer named(String canonical) {
        return new MathAnswer(canonical, "", "", "");
    }

    /// Words, in order, whatever their case; those separated by commas in any order.
    private static String words(String text) {
        List<String> parts = new ArrayList<>();
        for (String part : text.toLowerCase(Locale.ROOT).split(",|\\band\\b")) {
            String plain = part.replaceAll("[().]", " ").strip().replaceAll("\\s+", " ");
            if (!plain.isEmpty()) {
                parts.add(plain);
            }
        }
        parts.sort(null);
        return "words " + String.join(", ", parts);
    }

    private static MathAnswer parsed(List<Token> tokens) {
        List<String> values = new ArrayList<>();
        List<String> whole = new ArrayList<>();
        Set<String> names = new TreeSet<>();
        Set<String> units = new TreeSet<>();
        for (List<Token> part : LatexBrackets.split(tokens, Set.of(","))) {
            if (part.isEmpty()) {
                continue;
            }
            // An answer may begin with the sign of a relation, as in `\approx 8.2`.
            List<Token> value = part.getFirst().is("=") ? part.subList(1, part.size()) : part;
            List<List<Token>> sides = LatexBrackets.split(value, RELATIONS);
            String name = "";
            if (sides.size() == 2 && isName(sides.getFirst()) && assigns(value, sides)) {
                name = joined(sides.getFirst());
                names.add(name);
                value = sides.getLast();
            }
            List<String> read = relation(value, units);
            values.addAll(read);
            String prefix = name.isEmpty() ? "" : name + "=";
            read.forEach(v -> whole.add(prefix + v));
        }
        if (values.isEmpty()) {
            throw new Unread();
        }
        List<String> kept = names.size() > 1 ? whole : values;
        kept.sort(null);
        String unit = units.size() == 1 ? units.iterator().next() : "";
        return new MathAnswer(
                String.join(", ", kept),
                names.size() == 1 ? names.iterator().next() : "",
                unit,
                unit.equals("percent") && kept.size() == 1 ? hundredth(kept.getFirst()) : "");
    }

    private static boolean assigns(List<Token> part, List<List<Token>> sides) {
        Token relation = part.get(sides.getFirst().size());
        return relation.is("=") || relation.is("in");
    }

    /// One symbol or word, perhaps with a subscript or an argument: `x`, `x_1`, `f(x)`.
    private static boolean isName(List<Token> side) {
        if (side.isEmpty() || side.size() > 6) {
            return false;
        }
        Kind first = side.getFirst().kind();
        boolean symbol = first == Kind.SYMBOL || first == Kind.TEXT;
        return symbol
                && (side.size() == 1
                        || side.get(1).is("_")
                        || (side.get(1).is("(") && side.getLast().is(")")));
    }

    private static String joined(List<Token> tokens) {
        StringBuilder text = new StringBuilder();
        tokens.forEach(token -> text.append(token.text().strip()));
        return text.toString();
    }

    /// The values of one part of a list, or its one equation or inequality.
    private static List<String> relation(List<Token> tokens, Set<String> units) {
        List<List<Token>> sides = LatexBrackets.split(tokens, RELATIONS);
        if (sides.size() == 1) {
            return LatexParser.values(tokens, units);
        }
        List<String> chain = new ArrayList<>();
        boolean falling = false;
        int at = 0;
        for (List<Token> side : sides) {
            chain.add(LatexParser.value(side, units));
            at += side.size();
            if (at < tokens.size()) {
                String relation = tokens.get(at++).text();
                falling |= relation.startsWith(">");
                chain.add(relation);
            }
        }
        if (falling) {
            chain = chain.reversed();
            chain.replaceAll(c -> c.startsWith(">") ? "<" + c.substring(1) : c);
        }
        return new ArrayList<>(List.of(String.join(" ", chain)));
    }

    private static String hundredth(String number) {
        String[] ratio = number.split("/");
        if (ratio.length > 2 || !number.matches("-?[0-9]+(/[0-9]+)?")) {
            return "";
        }
        BigInteger below = ratio.length == 2 ? new BigInteger(ratio[1]) : BigInteger.ONE;
        return LatexTerm.ratio(new BigInteger(ratio[0]), below.multiply(BigInteger.valueOf(100)));
    }

    /// Whether two answers are the same, as said above.
    boolean agrees(MathAnswer other) {
        boolean names = name.isEmpty() || other.name.isEmpty() || name.equals(other.name);
        boolean units = unit.isEmpty() || other.unit.isEmpty() || unit.equals(other.unit);
        return names && units && (canonical.equals(other.canonical) || percent(other) || other.percent(this));
    }

    private boolean percent(MathAnswer number) {
        return !hundredth.isEmpty() && number.unit.isEmpty() && hundredth.equals(number.canonical);
    }
}

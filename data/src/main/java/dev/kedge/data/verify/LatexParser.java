package dev.kedge.data.verify;

import dev.kedge.data.verify.LatexTokens.Kind;
import dev.kedge.data.verify.LatexTokens.Token;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Reads an expression in LaTeX into the normal form of [MathAnswer]: a sum of terms, a term a rational number times
/// sorted factors. Nothing is worked out but the numbers that are one number: fractions, decimals, mixed numbers,
/// powers of ten in scientific notation.
final class LatexParser {
    private static final int MAX_DEPTH = 60;
    private static final int MAX_POWER_OF_TEN = 30;
    private static final Set<String> FUNCTIONS = Set.of(
            "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "ln",
            "exp");

    private final List<Token> tokens;
    private final Set<String> units;
    private final int depth;
    private int at;

    private LatexParser(List<Token> tokens, Set<String> units, int depth) {
        if (depth > MAX_DEPTH) {
            throw new MathAnswer.Unread();
        }
        this.tokens = tokens;
        this.units = units;
        this.depth = depth;
    }

    static boolean isFunction(String word) {
        return FUNCTIONS.contains(word.strip());
    }

    static String value(List<Token> tokens, Set<String> units) {
        return whole(tokens, units, 0);
    }

    /// The values of an expression: two where it holds one ±, those of a set where it is one.
    static List<String> values(List<Token> tokens, Set<String> units) {
        return values(tokens, units, 0);
    }

    private static List<String> values(List<Token> tokens, Set<String> units, int depth) {
        if (depth > MAX_DEPTH) {
            throw new MathAnswer.Unread();
        }
        boolean braced = tokens.size() > 2
                && (tokens.getFirst().is("set{") || tokens.getFirst().is("{"));
        if (braced && LatexBrackets.close(tokens, 0) == tokens.size() - 1) {
            List<String> members = new ArrayList<>();
            for (List<Token> member : LatexBrackets.split(tokens.subList(1, tokens.size() - 1), Set.of(","))) {
                members.addAll(values(member, units, depth + 1));
            }
            return members;
        }
        int signs = (int) tokens.stream().filter(t -> t.is("+-") || t.is("-+")).count();
        if (signs != 1) {
            return new ArrayList<>(List.of(union(tokens, units, 0)));
        }
        List<String> both = new ArrayList<>();
        for (String sign : List.of("+", "-")) {
            both.add(union(
                    tokens.stream()
                            .map(t -> t.is("+-") || t.is("-+") ? new Token(Kind.OPERATOR, sign, t.spaced()) : t)
                            .toList(),
                    units,
                    0));
        }
        return both;
    }

    private static String union(List<Token> tokens, Set<String> units, int depth) {
        return LatexBrackets.split(tokens, Set.of("cup")).stream()
                .map(part -> whole(part, units, depth))
                .sorted()
                .collect(Collectors.joining(" cup "));
    }

    private static String whole(List<Token> tokens, Set<String> units, int depth) {
        LatexParser parser = new LatexParser(tokens, units, depth);
        List<LatexTerm> sum = parser.sum();
        if (parser.at < tokens.size()) {
            throw new MathAnswer.Unread();
        }
        return written(sum);
    }

    private static String written(List<LatexTerm> sum) {
        return sum.stream().map(LatexTerm::toString).sorted().collect(Collectors.joining(" + "));
    }

    private static LatexTerm one(List<LatexTerm> sum) {
        return sum.size() == 1 ? sum.getFirst() : LatexTerm.symbol("(" + written(sum) + ")");
    }

    private boolean more() {
        return at < tokens.size();
    }

    private boolean is(String operator) {
        return more() && tokens.get(at).is(operator);
    }

    private Token take() {
        if (!more()) {
            throw new MathAnswer.Unread();
        }
        return tokens.get(at++);
    }

    private List<LatexTerm> sum() {
        List<LatexTerm> terms = new ArrayList<>();
        do {
            int sign = 1;
            while (is("+") || is("-")) {
                sign = take().is("-") ? -sign : sign;
            }
            terms.add(product(false).signed(sign));
        } while (is("+") || is("-"));
        return terms;
    }

    private LatexTerm product(boolean argument) {
        if (more() && tokens.get(at).kind() == Kind.UNIT) {
            units();
        }
        // A sign may stand between the currency and the number.
        int sign = is("-") && at > 0 ? (take().is("-") ? -1 : 1) : 1;
        boolean literal = more() && tokens.get(at).kind() == Kind.NUMBER;
        LatexTerm product = one(power());
        units();
        while (more()) {
            boolean times = is("*");
            boolean over = is("/");
            if (times || over) {
                at++;
            } else if (!startsFactor() || (argument && isFunction(tokens.get(at).text()))) {
                break;
            }
            boolean implied = !times && !over;
            if (implied && tokens.get(at).kind() == Kind.NUMBER && literal && product.isNumber()) {
                product = mixed(product);
            } else if (times && product.isNumber() && powerOfTen()) {
                product = product.scaled(scientific());
            } else {
                boolean fraction = implied && tokens.get(at).text().equals("frac");
                LatexTerm next = one(power());
                boolean mixed = fraction && literal && product.isInteger() && next.isNumber() && isProper(next);
                product = mixed ? plus(product, next) : over ? product.over(next) : product.times(next);
            }
            literal = false;
            units();
        }
        return product.signed(sign);
    }

    private static boolean isProper(LatexTerm number) {
        return number.above().signum() > 0 && number.above().compareTo(number.below()) < 0;
    }

    private static LatexTerm plus(LatexTerm a, LatexTerm b) {
        return LatexTerm.number(
                a.above().multiply(b.below()).add(b.above().multiply(a.below())),
                a.below().multiply(b.below()));
    }

    /// `1 4/5`.
    private LatexTerm mixed(LatexTerm whole) {
        boolean fraction = at + 2 < tokens.size()
                && tokens.get(at).spaced()
                && tokens.get(at + 1).is("/")
                && tokens.get(at + 2).kind() == Kind.NUMBER;
        if (!fraction || !whole.isInteger()) {
            throw new MathAnswer.Unread();
        }
        LatexTerm above = number(take().text());
        at++;
        LatexTerm part = above.over(number(take().text()));
        if (!isProper(part)) {
            throw new MathAnswer.Unread();
        }
        return plus(whole, part);
    }

    private boolean powerOfTen() {
        return at + 1 < tokens.size()
                && tokens.get(at).text().equals("10")
                && tokens.get(at + 1).is("^")
                && tokens.get(at).kind() == Kind.NUMBER;
    }

    /// `10^{-5}`.
    private LatexTerm scientific() {
        at += 2;
        LatexTerm exponent = one(exponent());
        if (!exponent.isInteger()
                || exponent.above().abs().bitLength() > 8
                || exponent.above().abs().intValue() > MAX_POWER_OF_TEN) {
            throw new MathAnswer.Unread();
        }
        int power = exponent.above().intValue();
        BigInteger ten = BigInteger.TEN.pow(Math.abs(power));
        return power < 0 ? LatexTerm.number(BigInteger.ONE, ten) : LatexTerm.number(ten, BigInteger.ONE);
    }

    /// Units and words about what was counted, which stand beside the value.
    private void units() {
        while (more() && (tokens.get(at).kind() == Kind.UNIT || tokens.get(at).kind() == Kind.TEXT)) {
            String words = take().text();
            if (Units.isNumeral(words)) {
                throw new MathAnswer.Unread();
            }
            String unit = Units.of(words);
            if (is("^")) {
                at++;
                unit += unit.isEmpty() ? "" : "^" + written(exponent());
            }
            if (!unit.isEmpty()) {
                units.add(unit);
            }
        }
    }

    private boolean startsFactor() {
        Token token = tokens.get(at);
        return switch (token.kind()) {
            case NUMBER, SYMBOL -> true;
            case OPERATOR -> LatexBrackets.opens(token.text()) || token.text().startsWith("begin");
            case TEXT, UNIT -> false;
        };
    }

    private List<LatexTerm> power() {
        boolean number = more() && tokens.get(at).kind() == Kind.NUMBER;
        String digits = number ? tokens.get(at).text() : "";
        List<LatexTerm> base = base();
        while (more() && (is("^") || is("_") || is("!"))) {
            String operator = take().text();
            if (operator.equals("!")) {
                base = List.of(LatexTerm.symbol(atom(base) + "!"));
            } else {
                // Brackets tell x^{ab} from x^a b.
                LatexTerm power = one(exponent());
                String index = power.isInteger() ? power.toString() : "(" + power + ")";
                // A subscript is the base of a numeral: its digits are no number in base ten.
                String of = number && operator.equals("_") ? digits : atom(base);
                base = List.of(LatexTerm.symbol(of + operator + index));
            }
            number = false;
        }
        return base;
    }

    private static String atom(List<LatexTerm> base) {
        LatexTerm term = base.getFirst();
        boolean simple = base.size() == 1
                && (term.isInteger() && term.above().signum() >= 0
                        || term.isUnit()
                                && term.above().signum() > 0
                                && term.top().size() == 1
                                && term.bottom().isEmpty());
        return simple ? (term.isNumber() ? term.toString() : term.top().getFirst()) : "(" + written(base) + ")";
    }

    private List<LatexTerm> exponent() {
        if (is("-")) {
            at++;
            return List.of(one(exponent()).signed(-1));
        }
        return base();
    }

    private List<LatexTerm> base() {
        Token token = take();
        return switch (token.kind()) {
            case NUMBER -> List.of(number(token.text()));
            case SYMBOL -> command(token.text());
            case OPERATOR -> bracketed(token);
            case TEXT, UNIT -> throw new MathAnswer.Unread();
        };
    }

    private static LatexTerm number(String digits) {
        BigDecimal value = new BigDecimal(digits);
        return LatexTerm.number(value.unscaledValue(), BigInteger.TEN.pow(value.scale()));
    }

    private List<LatexTerm> command(String name) {
        if (name.equals("frac")) {
            LatexTerm above = one(base());
            return List.of(above.over(one(base())));
        }
        if (name.equals("sqrt")) {
            String index = "";
            if (is("[")) {
                int end = LatexBrackets.close(tokens, at);
                index = whole(tokens.subList(at + 1, end), units, depth + 1);
                at = end + 1;
            }
            String radicand = written(base());
            boolean square = index.isEmpty() || index.equals("2");
            return List.of(LatexTerm.symbol((square ? "sqrt(" : "root(" + index + ", ") + radicand + ")"));
        }
        return List.of(LatexTerm.symbol(FUNCTIONS.contains(name) ? applied(name) : name));
    }

    private String applied(String function) {
        StringBuilder name = new StringBuilder(function);
        while (is("^") || is("_")) {
            name.append(take().text()).append(written(exponent()));
        }
        List<LatexTerm> argument = is("(") ? base() : List.of(product(true));
        return name + "(" + written(argument) + ")";
    }

    private List<LatexTerm> bracketed(Token open) {
        int start = at;
        if (open.is("|")) {
            while (!is("|")) {
                take();
            }
            at++;
            return List.of(LatexTerm.symbol("|" + whole(tokens.subList(start, at - 1), units, depth + 1) + "|"));
        }
        if (open.text().startsWith("begin")) {
            return List.of(LatexTerm.symbol(matrix(open.text().substring(6).toLowerCase(Locale.ROOT))));
        }
        if (!LatexBrackets.opens(open.text())) {
            throw new MathAnswer.Unread();
        }
        int end = LatexBrackets.close(tokens, at - 1);
        at = end + 1;
        List<Token> inside = tokens.subList(start, end);
        String ends = open.text() + " " + tokens.get(end).text();
        List<List<Token>> parts = LatexBrackets.split(inside, Set.of(","));
        if (parts.size() == 1 && (ends.equals("( )") || ends.equals("{ }") || ends.equals("[ ]"))) {
            LatexParser parser = new LatexParser(inside, units, depth + 1);
            List<LatexTerm> sum = parser.sum();
            if (parser.more()) {
                throw new MathAnswer.Unread();
            }
            return sum;
        }
        Function<List<Token>, String> member = part -> union(part, units, depth + 1);
        boolean set = open.is("set{");
        String members = set
                ? parts.stream().map(member).sorted().collect(Collectors.joining(", "))
                : parts.stream().map(member).collect(Collectors.joining(", "));
        return List.of(LatexTerm.symbol(open.text() + members + tokens.get(end).text()));
    }

    private String matrix(String kind) {
        if (!Set.of("pmatrix", "bmatrix", "matrix").contains(kind)) {
            throw new MathAnswer.Unread();
        }
        int start = at;
        for (int open = 1; open > 0; at++) {
            if (!more()) {
                throw new MathAnswer.Unread();
            }
            String text =
                    tokens.get(at).kind() == Kind.OPERATOR ? tokens.get(at).text() : "";
            open += text.startsWith("begin") ? 1 : text.startsWith("end") ? -1 : 0;
        }
        return LatexBrackets.split(tokens.subList(start, at - 1), Set.of("row")).stream()
                .filter(row -> !row.isEmpty())
                .map(row -> LatexBrackets.split(row, Set.of("&")).stream()
                        .map(cell -> whole(cell, units, depth + 1))
                        .collect(Collectors.joining(", ")))
                .collect(Collectors.joining("; ", "matrix(", ")"));
    }
}

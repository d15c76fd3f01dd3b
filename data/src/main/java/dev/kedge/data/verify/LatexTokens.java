package dev.kedge.data.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The pieces of an answer in LaTeX, without what only sets it: sizes of brackets, spaces, fonts, dollar signs
/// around it.
final class LatexTokens {
    enum Kind {
        NUMBER,
        /// A letter or a command that stands for something.
        SYMBOL,
        /// Words, such as a unit.
        TEXT,
        UNIT,
        OPERATOR
    }

    /// @param spaced whether white space stood before it
    record Token(Kind kind, String text, boolean spaced) {
        boolean is(String operator) {
            return kind == Kind.OPERATOR && text.equals(operator);
        }
    }

    private static final Set<String> IGNORED = Set.of(("left right big Big bigl bigr Bigl Bigr bigg Bigg quad qquad"
                    + " displaystyle textstyle limits ! , ; : ( ) [ ] mathbf mathit boldsymbol bm mathcal rm bf text"
                    + " mbox textbf textit textrm textnormal mathrm operatorname boxed")
            .split(" "));
    private static final Set<String> WORDS =
            Set.of("text", "mbox", "textbf", "textit", "textrm", "textnormal", "mathrm", "operatorname");
    private static final Map<String, String> OPERATORS = Map.ofEntries(
            Map.entry("cdot", "*"),
            Map.entry("times", "*"),
            Map.entry("ast", "*"),
            Map.entry("div", "/"),
            Map.entry("le", "<="),
            Map.entry("leq", "<="),
            Map.entry("leqslant", "<="),
            Map.entry("ge", ">="),
            Map.entry("geq", ">="),
            Map.entry("geqslant", ">="),
            Map.entry("ne", "!="),
            Map.entry("neq", "!="),
            Map.entry("lt", "<"),
            Map.entry("gt", ">"),
            Map.entry("approx", "="),
            Map.entry("in", "in"),
            Map.entry("cup", "cup"),
            Map.entry("pm", "+-"),
            Map.entry("mp", "-+"),
            Map.entry("{", "set{"),
            Map.entry("}", "}set"),
            Map.entry("lbrace", "set{"),
            Map.entry("rbrace", "}set"),
            Map.entry("|", "|"),
            Map.entry("vert", "|"),
            Map.entry("lvert", "|"),
            Map.entry("rvert", "|"),
            Map.entry("\\", "row"),
            Map.entry("langle", "("),
            Map.entry("rangle", ")"),
            Map.entry("lor", ","));
    private static final Map<String, String> BARE = Map.ofEntries(
            Map.entry("sin", "sin"),
            Map.entry("cos", "cos"),
            Map.entry("tan", "tan"),
            Map.entry("cot", "cot"),
            Map.entry("sec", "sec"),
            Map.entry("csc", "csc"),
            Map.entry("log", "log"),
            Map.entry("ln", "ln"),
            Map.entry("pi", "pi"),
            Map.entry("sqrt", "sqrt"),
            Map.entry("infinity", "infty"),
            Map.entry("inf", "infty"));
    private static final Pattern NUMBER = Pattern.compile("[0-9]++(?:\\.[0-9]++)?+|\\.[0-9]++");
    private static final Pattern TYPESET_GROUP = Pattern.compile("(?:,\\s*\\\\!\\s*|\\{,}|\\\\,)([0-9]{3})(?![0-9])");
    private static final Pattern PLAIN_GROUP = Pattern.compile(",([0-9]{3})(?![0-9])");
    private static final Pattern LETTERS = Pattern.compile("[A-Za-z]++");
    private static final Pattern WORD = Pattern.compile("[A-Za-z]{3}");

    private final String in;
    private final List<Token> out = new ArrayList<>();
    private int at;
    private int brackets;
    private boolean spaced;

    private LatexTokens(String in) {
        this.in = in;
    }

    /// @throws MathAnswer.Unread if it is not LaTeX
    static List<Token> of(String latex) {
        LatexTokens tokens = new LatexTokens(plain(latex));
        while (tokens.at < tokens.in.length()) {
            tokens.next();
        }
        return tokens.out;
    }

    /// Signs of Unicode as the commands that mean the same, and degrees as one command.
    private static String plain(String latex) {
        return latex.replace('\u2212', '-')
                .replace('\u2013', '-')
                .replace("\u00d7", "\\times ")
                .replace("\u00b7", "\\cdot ")
                .replace("\u03c0", "\\pi ")
                .replace("\u221e", "\\infty ")
                .replace("\u221a", "\\sqrt ")
                .replace("\u222a", "\\cup ")
                .replace("\u00b1", "\\pm ")
                .replace("\u00b0", "\\degree ")
                .replaceAll("\\^\\s*(?:\\{\\s*\\\\circ\\s*}|\\\\circ(?![A-Za-z]))", "\\\\degree ");
    }

    private void add(Kind kind, String text) {
        out.add(new Token(kind, text, spaced));
        spaced = false;
    }

    private void next() {
        char c = in.charAt(at);
        if (Character.isWhitespace(c) || c == '~' || c == '$') {
            spaced = true;
            at++;
        } else if (c == '\\') {
            command();
        } else if (c >= '0' && c <= '9'
                || c == '.' && at + 1 < in.length() && in.charAt(at + 1) >= '0' && in.charAt(at + 1) <= '9') {
            number();
        } else if (c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
            letters();
        } else if (c == '%') {
            at++;
            add(Kind.UNIT, "percent");
        } else {
            brackets += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
            at++;
            if (c == ';') {
                add(Kind.OPERATOR, ",");
            } else if ("+-*/^_=<>()[]{}|,&!:'".indexOf(c) >= 0) {
                add(Kind.OPERATOR, String.valueOf(c));
            } else {
                throw new MathAnswer.Unread();
            }
        }
    }

    /// A number without its thousands separators. Between brackets a bare comma separates: `(1,234)` is a pair.
    private void number() {
        StringBuilder digits = new StringBuilder();
        Matcher matcher = NUMBER.matcher(in).region(at, in.length());
        matcher.lookingAt();
        digits.append(matcher.group());
        at = matcher.end();
        boolean whole = digits.indexOf(".") < 0 && digits.length() <= 3 && digits.charAt(0) != '0';
        boolean grouped = false;
        while (whole) {
            Matcher group = TYPESET_GROUP.matcher(in).region(at, in.length()).useTransparentBounds(true);
            if (!group.lookingAt()) {
                group = PLAIN_GROUP.matcher(in).region(at, in.length()).useTransparentBounds(true);
                if (brackets > 0 || !group.lookingAt()) {
                    break;
                }
            }
            digits.append(group.group(1));
            at = group.end();
            grouped = true;
        }
        if (grouped) {
            Matcher rest = NUMBER.matcher(in).region(at, in.length());
            if (at < in.length() && in.charAt(at) == '.' && rest.lookingAt()) {
                digits.append(rest.group());
                at = rest.end();
            }
        }
        add(Kind.NUMBER, digits.toString());
    }

    private void letters() {
        Matcher run = LETTERS.matcher(in).region(at, in.length());
        run.lookingAt();
        String word = run.group();
        boolean afterNumber = !out.isEmpty() && out.getLast().kind() == Kind.NUMBER;
        if (word.equals("or") || word.equals("and")) {
            add(Kind.OPERATOR, ",");
        } else if (BARE.containsKey(word)) {
            add(Kind.SYMBOL, BARE.get(word));
        } else if (afterNumber && word.length() > 1 && Units.known(word)) {
            add(Kind.TEXT, word);
        } else {
            word.chars().forEach(c -> add(Kind.SYMBOL, String.valueOf((char) c)));
        }
        at = run.end();
    }

    private void command() {
        Matcher run = LETTERS.matcher(in).region(at + 1, in.length());
        String name;
        if (run.lookingAt()) {
            name = run.group();
        } else if (at + 1 < in.length()) {
            name = in.substring(at + 1, at + 2);
        } else {
            throw new MathAnswer.Unread();
        }
        at += 1 + name.length();
        if (WORDS.contains(name) && words()) {
            return;
        }
        if (name.equals("phantom")) {
            group();
        } else if (name.equals("begin") || name.equals("end")) {
            add(Kind.OPERATOR, name + " " + group());
        } else if (IGNORED.contains(name) || name.isBlank()) {
            spaced = true;
        } else if (name.equals("$")) {
            add(Kind.UNIT, "dollar");
        } else if (name.equals("%")) {
            add(Kind.UNIT, "percent");
        } else if (name.equals("degree")) {
            add(Kind.UNIT, "degree");
        } else if (OPERATORS.containsKey(name)) {
            brackets += name.equals("{") ? 1 : name.equals("}") ? -1 : 0;
            add(Kind.OPERATOR, OPERATORS.get(name));
        } else if (name.endsWith("frac")) {
            add(Kind.SYMBOL, "frac");
            digit();
            digit();
        } else if (Character.isLetter(name.charAt(0))) {
            add(Kind.SYMBOL, name);
        } else {
            throw new MathAnswer.Unread();
        }
    }

    /// An argument of a fraction without braces is one digit: `\frac12`.
    private void digit() {
        int next = at;
        while (next < in.length() && Character.isWhitespace(in.charAt(next))) {
            next++;
        }
        if (next < in.length() && in.charAt(next) >= '0' && in.charAt(next) <= '9') {
            add(Kind.NUMBER, in.substring(next, next + 1));
            at = next + 1;
        }
    }

    /// Words in a group of text; false where the group holds mathematics, which is then read as such.
    private boolean words() {
        int before = at;
        String text = group();
        String bare = text.strip().replaceAll("^,\\s*", "");
        if (bare.equals("or") || bare.equals("and")) {
            add(Kind.OPERATOR, ",");
        } else if (WORD.matcher(bare).find() || Units.known(bare)) {
            add(Kind.TEXT, text);
        } else {
            at = before;
            return false;
        }
        return true;
    }

    private String group() {
        while (at < in.length() && Character.isWhitespace(in.charAt(at))) {
            at++;
        }
        int open = at;
        int depth = 0;
        for (; at < in.length(); at++) {
            depth += in.charAt(at) == '{' ? 1 : in.charAt(at) == '}' ? -1 : 0;
            if (depth == 0) {
                return open == at ? "" : in.substring(open + 1, at++);
            }
        }
        throw new MathAnswer.Unread();
    }
}

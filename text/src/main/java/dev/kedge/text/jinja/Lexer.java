package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Splits a template into tokens with the whitespace rules of chat templates: `trim_blocks` and `lstrip_blocks` are on,
/// `-` beside a delimiter strips all white space there, `+` keeps it, and one newline at the very end is dropped.
final class Lexer {
    static final int MAX_LENGTH = 1 << 20;
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern NUMBER = Pattern.compile("\\d[\\d_]*(\\.\\d[\\d_]*)?([eE][+-]?\\d+)?");
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%}");
    private static final Pattern BEGIN_RAW = Pattern.compile("\\{%([-+]?)\\s*raw\\s*(-?)%}");
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at = 0;
    private int line = 1;
    private boolean lineStart = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        if (source.length() > MAX_LENGTH) {
            throw new TemplateException(1, "the template is longer than " + MAX_LENGTH);
        }
        Lexer lexer = new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (at < source.length()) {
            int open = nextDelimiter();
            if (open < 0) {
                text(source.substring(at));
                at = source.length();
                break;
            }
            char kind = source.charAt(open + 1);
            char sign = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
            String data = source.substring(at, open);
            text(before(data, kind, sign));
            moveTo(open);
            if (kind == '#') {
                comment();
            } else if (kind == '%' && raw()) {
                continue;
            } else {
                tag(kind, sign);
            }
        }
        add(Token.Kind.END, "");
    }

    private int nextDelimiter() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /// The data before a tag, less what the tag strips from it.
    private String before(String data, char kind, char sign) {
        if (sign == '-') {
            return PyStrings.stripRight(data);
        }
        if (sign == '+' || kind == '{') {
            return data;
        }
        int start = data.lastIndexOf('\n') + 1;
        boolean wholeLine = start > 0 || lineStart;
        return wholeLine && PyStrings.stripRight(data.substring(start)).isEmpty() ? data.substring(0, start) : data;
    }

    private void comment() {
        int close = source.indexOf("#}", at + 2);
        if (close < 0) {
            throw error("a comment {# has no end #}");
        }
        char sign = source.charAt(close - 1);
        moveTo(close + 2);
        after(close - 1 > at || sign != '#' ? sign : ' ', true);
    }

    private boolean raw() {
        Matcher begin = BEGIN_RAW.matcher(source).region(at, source.length());
        if (!begin.lookingAt()) {
            return false;
        }
        moveTo(begin.end());
        after(begin.group(2).isEmpty() ? ' ' : '-', true);
        Matcher end = END_RAW.matcher(source).region(at, source.length());
        if (!end.find()) {
            throw error("{% raw %} has no {% endraw %}");
        }
        String sign = end.group(1);
        text(before(source.substring(at, end.start()), '%', sign.isEmpty() ? ' ' : sign.charAt(0)));
        moveTo(end.end());
        after(end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0), true);
        return true;
    }

    private void tag(char kind, char sign) {
        boolean statement = kind == '%';
        add(statement ? Token.Kind.STATEMENT_BEGIN : Token.Kind.EXPRESSION_BEGIN, "");
        moveTo(at + (sign == '-' || sign == '+' ? 3 : 2));
        String close = statement ? "%}" : "}}";
        int depth = 0;
        while (true) {
            skipSpace();
            if (at >= source.length()) {
                throw error("a tag has no end " + close);
            }
            char c = source.charAt(at);
            boolean signed = (c == '-' || (c == '+' && statement)) && source.startsWith(close, at + 1);
            if (depth == 0 && (signed || source.startsWith(close, at))) {
                add(statement ? Token.Kind.STATEMENT_END : Token.Kind.EXPRESSION_END, "");
                moveTo(at + (signed ? 3 : 2));
                after(signed ? c : ' ', statement);
                return;
            }
            depth += "([{".indexOf(c) >= 0 ? 1 : ")]}".indexOf(c) >= 0 ? -1 : 0;
            inside(c);
        }
    }

    /// Strips what follows a tag's end.
    private void after(char sign, boolean block) {
        lineStart = false;
        if (sign == '-') {
            while (at < source.length() && PyStrings.isSpace(source.charAt(at))) {
                lineStart = source.charAt(at) == '\n';
                moveTo(at + 1);
            }
        } else if (block && sign != '+' && at < source.length() && source.charAt(at) == '\n') {
            moveTo(at + 1);
            lineStart = true;
        }
    }

    private void inside(char c) {
        Matcher name = NAME.matcher(source).region(at, source.length());
        Matcher number = NUMBER.matcher(source).region(at, source.length());
        if (c == '"' || c == '\'') {
            string(c);
        } else if (name.lookingAt()) {
            add(Token.Kind.NAME, name.group());
            moveTo(name.end());
        } else if (number.lookingAt()) {
            boolean real = number.group(1) != null || number.group(2) != null;
            add(real ? Token.Kind.FLOAT : Token.Kind.INTEGER, number.group().replace("_", ""));
            moveTo(number.end());
        } else {
            String operator = OPERATORS.stream()
                    .filter(o -> source.startsWith(o, at))
                    .findFirst()
                    .orElseThrow(() -> error("unexpected character '" + c + "'"));
            add(Token.Kind.OPERATOR, operator);
            moveTo(at + operator.length());
        }
    }

    private void string(char quote) {
        int end = at + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw error("a string has no closing " + quote);
        }
        add(Token.Kind.STRING, PyStrings.unescape(source.substring(at + 1, end)));
        moveTo(end + 1);
    }

    private void skipSpace() {
        while (at < source.length() && PyStrings.isSpace(source.charAt(at))) {
            moveTo(at + 1);
        }
    }

    private void text(String data) {
        if (!data.isEmpty()) {
            add(Token.Kind.TEXT, data);
        }
    }

    private void add(Token.Kind kind, String text) {
        tokens.add(new Token(kind, text, line));
    }

    private void moveTo(int next) {
        for (int i = at; i < next; i++) {
            line += source.charAt(i) == '\n' ? 1 : 0;
        }
        at = next;
    }

    private TemplateException error(String what) {
        return new TemplateException(line, what);
    }
}

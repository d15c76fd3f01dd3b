package dev.kedge.text.jinja;

import java.util.List;

/// A cursor over tokens that also bounds how deeply a template may nest.
final class Tokens {
    private static final int MAX_DEPTH = 100;
    private final List<Token> tokens;
    private int at = 0;
    private int depth = 0;

    Tokens(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    Token expect(Token.Kind kind) {
        Token token = next();
        if (token.kind() != kind) {
            throw new TemplateException(token.line(), "expected " + words(kind) + ", found " + words(token));
        }
        return token;
    }

    void expectOperator(String operator) {
        Token token = next();
        if (!token.isOperator(operator)) {
            throw new TemplateException(token.line(), "expected '" + operator + "', found " + words(token));
        }
    }

    void expectName(String name) {
        Token token = next();
        if (!token.isName(name)) {
            throw new TemplateException(token.line(), "expected '" + name + "', found " + words(token));
        }
    }

    boolean skipOperator(String operator) {
        boolean found = peek().isOperator(operator);
        at += found ? 1 : 0;
        return found;
    }

    boolean skipName(String name) {
        boolean found = peek().isName(name);
        at += found ? 1 : 0;
        return found;
    }

    void enter() {
        if (++depth > MAX_DEPTH) {
            throw new TemplateException(peek().line(), "nested deeper than " + MAX_DEPTH);
        }
    }

    void leave() {
        depth--;
    }

    static String words(Token token) {
        return token.text().isEmpty() ? words(token.kind()) : "'" + token.text() + "'";
    }

    private static String words(Token.Kind kind) {
        return switch (kind) {
            case STATEMENT_END -> "'%}'";
            case EXPRESSION_END -> "'}}'";
            case NAME -> "a name";
            case END -> "the end of the template";
            default -> kind.name().toLowerCase(java.util.Locale.ROOT);
        };
    }
}

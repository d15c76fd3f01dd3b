package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Parses statements; expressions are left to [ExpressionParser].
final class Parser {
    private final Tokens tokens;
    private final ExpressionParser expressions;

    private Parser(Tokens tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    static List<Statement> parse(String template) {
        Parser parser = new Parser(new Tokens(Lexer.tokens(template)));
        return parser.body();
    }

    /// Statements up to one of the named tags (which is left to be read, its begin consumed) or the end.
    private List<Statement> body(String... ends) {
        List<Statement> body = new ArrayList<>();
        int opened = tokens.peek().line();
        while (true) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> body.add(new Statement.Text(token.line(), token.text()));
                case EXPRESSION_BEGIN -> {
                    body.add(new Statement.Output(token.line(), expressions.tupleOrOne()));
                    tokens.expect(Token.Kind.EXPRESSION_END);
                }
                case STATEMENT_BEGIN -> {
                    Token name = tokens.peek();
                    if (List.of(ends).contains(name.text())) {
                        return body;
                    }
                    tokens.enter();
                    body.add(statement());
                    tokens.leave();
                }
                default -> {
                    if (ends.length > 0) {
                        throw new TemplateException(opened, "missing {% " + String.join(" or ", ends) + " %}");
                    }
                    return body;
                }
            }
        }
    }

    private Statement statement() {
        Token tag = tokens.expect(Token.Kind.NAME);
        int line = tag.line();
        return switch (tag.text()) {
            case "if" -> branches(line);
            case "for" -> loop(line);
            case "set" -> set(line);
            case "macro" -> macro(line);
            case "with" -> with(line);
            case "generation" -> new Statement.Scoped(line, Map.of(), block("endgeneration"));
            case "filter" -> filter(line);
            case "break" -> simple(new Statement.Break(line));
            case "continue" -> simple(new Statement.Continue(line));
            default -> throw new TemplateException(line, "the tag {% " + tag.text() + " %} is not allowed here");
        };
    }

    private Statement simple(Statement statement) {
        tokens.expect(Token.Kind.STATEMENT_END);
        return statement;
    }

    private List<Statement> block(String end) {
        tokens.expect(Token.Kind.STATEMENT_END);
        List<Statement> body = body(end);
        closing();
        return body;
    }

    private void closing() {
        tokens.expect(Token.Kind.NAME);
        tokens.expect(Token.Kind.STATEMENT_END);
    }

    private Statement branches(int line) {
        JinjaExpression test = expressions.tupleOrOne();
        tokens.expect(Token.Kind.STATEMENT_END);
        List<Statement> then = body("elif", "else", "endif");
        Token next = tokens.expect(Token.Kind.NAME);
        List<Statement> otherwise = List.of();
        if (next.text().equals("elif")) {
            tokens.enter();
            otherwise = List.of(branches(next.line()));
            tokens.leave();
            return new Statement.If(line, test, then, otherwise);
        }
        tokens.expect(Token.Kind.STATEMENT_END);
        if (next.text().equals("else")) {
            otherwise = body("endif");
            closing();
        }
        return new Statement.If(line, test, then, otherwise);
    }

    private Statement loop(int line) {
        List<String> targets = new ArrayList<>();
        boolean bracket = tokens.skipOperator("(");
        do {
            targets.add(tokens.expect(Token.Kind.NAME).text());
        } while (tokens.skipOperator(","));
        if (bracket) {
            tokens.expectOperator(")");
        }
        tokens.expectName("in");
        JinjaExpression iterable = expressions.tupleWithoutCondition();
        JinjaExpression filter = tokens.skipName("if") ? expressions.expression() : null;
        tokens.expect(Token.Kind.STATEMENT_END);
        List<Statement> body = body("else", "endfor");
        List<Statement> otherwise = List.of();
        if (tokens.expect(Token.Kind.NAME).text().equals("else")) {
            tokens.expect(Token.Kind.STATEMENT_END);
            otherwise = body("endfor");
            tokens.expect(Token.Kind.NAME);
        }
        tokens.expect(Token.Kind.STATEMENT_END);
        return new Statement.For(line, targets, iterable, filter, body, otherwise);
    }

    private Statement set(int line) {
        List<JinjaExpression> targets = new ArrayList<>();
        do {
            JinjaExpression target =
                    new JinjaExpression.Name(tokens.expect(Token.Kind.NAME).text());
            if (tokens.skipOperator(".")) {
                target = new JinjaExpression.Attribute(
                        target, tokens.expect(Token.Kind.NAME).text());
            }
            targets.add(target);
        } while (tokens.skipOperator(","));
        if (tokens.skipOperator("=")) {
            JinjaExpression value = expressions.tupleOrOne();
            tokens.expect(Token.Kind.STATEMENT_END);
            return new Statement.Set(line, targets, value);
        }
        return new Statement.SetBlock(line, targets.getFirst(), block("endset"));
    }

    private Statement macro(int line) {
        String name = tokens.expect(Token.Kind.NAME).text();
        Map<String, JinjaExpression> parameters = new LinkedHashMap<>();
        tokens.expectOperator("(");
        while (!tokens.skipOperator(")")) {
            String parameter = tokens.expect(Token.Kind.NAME).text();
            parameters.put(parameter, tokens.skipOperator("=") ? expressions.expression() : null);
            if (!tokens.peek().isOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        return new Statement.Macro(line, name, parameters, block("endmacro"));
    }

    private Statement with(int line) {
        Map<String, JinjaExpression> names = new LinkedHashMap<>();
        while (tokens.peek().kind() == Token.Kind.NAME) {
            String name = tokens.next().text();
            tokens.expectOperator("=");
            names.put(name, expressions.expression());
            tokens.skipOperator(",");
        }
        return new Statement.Scoped(line, names, block("endwith"));
    }

    private Statement filter(int line) {
        JinjaExpression.Filter filter = expressions.filterNamed(new JinjaExpression.Literal(""));
        return new Statement.FilterBlock(line, filter, block("endfilter"));
    }
}

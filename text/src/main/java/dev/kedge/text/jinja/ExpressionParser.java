package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Recursive descent with Jinja's precedence, loosest first: if-else, or, and, not, comparison, + -, ~, * / // %, **.
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> NO_TEST_ARGUMENT = Set.of("else", "or", "and", "if", "is", "not", "in");
    private final Tokens tokens;

    ExpressionParser(Tokens tokens) {
        this.tokens = tokens;
    }

    JinjaExpression tupleOrOne() {
        return tuple(true);
    }

    JinjaExpression tupleWithoutCondition() {
        return tuple(false);
    }

    private JinjaExpression tuple(boolean condition) {
        List<JinjaExpression> items = new ArrayList<>();
        items.add(condition ? expression() : or());
        while (tokens.skipOperator(",")) {
            if (tokens.peek().kind() == Token.Kind.STATEMENT_END
                    || tokens.peek().isOperator(")")) {
                return new JinjaExpression.ListOf(items);
            }
            items.add(condition ? expression() : or());
        }
        return items.size() == 1 ? items.getFirst() : new JinjaExpression.ListOf(items);
    }

    JinjaExpression expression() {
        tokens.enter();
        JinjaExpression value = or();
        while (tokens.skipName("if")) {
            JinjaExpression test = or();
            value = new JinjaExpression.Conditional(test, value, tokens.skipName("else") ? expression() : null);
        }
        tokens.leave();
        return value;
    }

    private JinjaExpression or() {
        JinjaExpression left = and();
        while (tokens.skipName("or")) {
            left = new JinjaExpression.Or(left, and());
        }
        return left;
    }

    private JinjaExpression and() {
        JinjaExpression left = not();
        while (tokens.skipName("and")) {
            left = new JinjaExpression.And(left, not());
        }
        return left;
    }

    private JinjaExpression not() {
        if (!tokens.skipName("not")) {
            return comparison();
        }
        tokens.enter();
        JinjaExpression value = new JinjaExpression.Not(not());
        tokens.leave();
        return value;
    }

    private JinjaExpression comparison() {
        JinjaExpression first = sum();
        List<String> operators = new ArrayList<>();
        List<JinjaExpression> others = new ArrayList<>();
        while (true) {
            Token token = tokens.peek();
            if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                operators.add(tokens.next().text());
            } else if (tokens.skipName("in")) {
                operators.add("in");
            } else if (token.isName("not") && tokens.peekSecond().isName("in")) {
                tokens.next();
                tokens.next();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new JinjaExpression.Comparison(first, operators, others);
            }
            others.add(sum());
        }
    }

    private JinjaExpression sum() {
        JinjaExpression left = concatenation();
        while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
            left = new JinjaExpression.Binary(tokens.next().text(), left, concatenation());
        }
        return left;
    }

    private JinjaExpression concatenation() {
        JinjaExpression left = product();
        while (tokens.skipOperator("~")) {
            left = new JinjaExpression.Binary("~", left, product());
        }
        return left;
    }

    private JinjaExpression product() {
        JinjaExpression left = power();
        while (tokens.peek().kind() == Token.Kind.OPERATOR
                && Set.of("*", "/", "//", "%").contains(tokens.peek().text())) {
            left = new JinjaExpression.Binary(tokens.next().text(), left, power());
        }
        return left;
    }

    private JinjaExpression power() {
        JinjaExpression left = unary(true);
        while (tokens.skipOperator("**")) {
            left = new JinjaExpression.Binary("**", left, unary(true));
        }
        return left;
    }

    private JinjaExpression unary(boolean filters) {
        tokens.enter();
        JinjaExpression value;
        if (tokens.skipOperator("-")) {
            value = new JinjaExpression.Negative(unary(false));
        } else if (tokens.skipOperator("+")) {
            value = unary(false);
        } else {
            value = primary();
        }
        value = postfix(value);
        value = filters ? filtersAndTests(value) : value;
        tokens.leave();
        return value;
    }

    private JinjaExpression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case NAME -> name(token.text());
            case STRING -> {
                StringBuilder all = new StringBuilder(token.text());
                while (tokens.peek().kind() == Token.Kind.STRING) {
                    all.append(tokens.next().text());
                }
                yield new JinjaExpression.Literal(all.toString());
            }
            case INTEGER -> integer(token);
            case FLOAT -> new JinjaExpression.Literal(Double.valueOf(token.text()));
            default -> {
                if (token.isOperator("(")) {
                    yield bracketed();
                } else if (token.isOperator("[")) {
                    yield new JinjaExpression.ListOf(items("]"));
                } else if (token.isOperator("{")) {
                    yield dict();
                }
                throw new TemplateException(token.line(), "expected a value, found " + Tokens.words(token));
            }
        };
    }

    private static JinjaExpression integer(Token token) {
        try {
            return new JinjaExpression.Literal(Long.valueOf(token.text()));
        } catch (NumberFormatException _) {
            throw new TemplateException(token.line(), "the number " + token.text() + " is too large");
        }
    }

    private static JinjaExpression name(String name) {
        return switch (name) {
            case "true", "True" -> new JinjaExpression.Literal(true);
            case "false", "False" -> new JinjaExpression.Literal(false);
            case "none", "None" -> new JinjaExpression.Literal(Values.NONE);
            default -> new JinjaExpression.Name(name);
        };
    }

    private JinjaExpression bracketed() {
        if (tokens.skipOperator(")")) {
            return new JinjaExpression.ListOf(List.of());
        }
        JinjaExpression value = tupleOrOne();
        tokens.expectOperator(")");
        return value;
    }

    private List<JinjaExpression> items(String close) {
        List<JinjaExpression> items = new ArrayList<>();
        while (!tokens.skipOperator(close)) {
            items.add(expression());
            if (!tokens.peek().isOperator(close)) {
                tokens.expectOperator(",");
            }
        }
        return items;
    }

    private JinjaExpression dict() {
        List<Map.Entry<JinjaExpression, JinjaExpression>> entries = new ArrayList<>();
        while (!tokens.skipOperator("}")) {
            JinjaExpression key = expression();
            tokens.expectOperator(":");
            entries.add(Map.entry(key, expression()));
            if (!tokens.peek().isOperator("}")) {
                tokens.expectOperator(",");
            }
        }
        return new JinjaExpression.DictOf(entries);
    }

    private JinjaExpression postfix(JinjaExpression start) {
        JinjaExpression value = start;
        while (true) {
            if (tokens.skipOperator(".")) {
                Token token = tokens.next();
                value = token.kind() == Token.Kind.INTEGER
                        ? new JinjaExpression.Item(value, integer(token))
                        : new JinjaExpression.Attribute(value, token.text());
            } else if (tokens.skipOperator("[")) {
                value = subscript(value);
            } else if (tokens.skipOperator("(")) {
                value = new JinjaExpression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private JinjaExpression subscript(JinjaExpression of) {
        JinjaExpression start = tokens.peek().isOperator(":") ? null : expression();
        if (!tokens.skipOperator(":")) {
            tokens.expectOperator("]");
            return new JinjaExpression.Item(of, start);
        }
        JinjaExpression stop = bound();
        JinjaExpression step = tokens.skipOperator(":") ? bound() : null;
        tokens.expectOperator("]");
        return new JinjaExpression.Slice(of, start, stop, step);
    }

    private JinjaExpression bound() {
        return tokens.peek().isOperator(":") || tokens.peek().isOperator("]") ? null : expression();
    }

    private JinjaExpression.Arguments arguments() {
        List<JinjaExpression> positional = new ArrayList<>();
        Map<String, JinjaExpression> named = new LinkedHashMap<>();
        while (!tokens.skipOperator(")")) {
            if (tokens.peek().kind() == Token.Kind.NAME && tokens.peekSecond().isOperator("=")) {
                String name = tokens.next().text();
                tokens.next();
                named.put(name, expression());
            } else {
                positional.add(expression());
            }
            if (!tokens.peek().isOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        return new JinjaExpression.Arguments(positional, named);
    }

    private JinjaExpression filtersAndTests(JinjaExpression start) {
        JinjaExpression value = start;
        while (true) {
            if (tokens.skipOperator("|")) {
                value = filterNamed(value);
            } else if (tokens.skipName("is")) {
                value = test(value);
            } else if (tokens.skipOperator("(")) {
                value = new JinjaExpression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    JinjaExpression.Filter filterNamed(JinjaExpression of) {
        String name = tokens.expect(Token.Kind.NAME).text();
        return new JinjaExpression.Filter(
                of, name, tokens.skipOperator("(") ? arguments() : JinjaExpression.Arguments.NONE);
    }

    private JinjaExpression test(JinjaExpression of) {
        boolean negated = tokens.skipName("not");
        String name = tokens.expect(Token.Kind.NAME).text();
        List<JinjaExpression> arguments = List.of();
        Token next = tokens.peek();
        boolean value =
                switch (next.kind()) {
                    case NAME -> !NO_TEST_ARGUMENT.contains(next.text());
                    case STRING, INTEGER, FLOAT -> true;
                    default -> next.isOperator("[") || next.isOperator("{");
                };
        if (tokens.skipOperator("(")) {
            arguments = items(")");
        } else if (value) {
            arguments = List.of(postfix(primary()));
        }
        JinjaExpression test = new JinjaExpression.Test(of, name, arguments);
        return negated ? new JinjaExpression.Not(test) : test;
    }
}

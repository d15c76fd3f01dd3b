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

    Expression tupleOrOne() {
        return tuple(true);
    }

    Expression tupleWithoutCondition() {
        return tuple(false);
    }

    private Expression tuple(boolean condition) {
        List<Expression> items = new ArrayList<>();
        items.add(condition ? expression() : or());
        while (tokens.skipOperator(",")) {
            if (tokens.peek().kind() == Token.Kind.STATEMENT_END
                    || tokens.peek().isOperator(")")) {
                return new Expression.ListOf(items);
            }
            items.add(condition ? expression() : or());
        }
        return items.size() == 1 ? items.getFirst() : new Expression.ListOf(items);
    }

    Expression expression() {
        tokens.enter();
        Expression value = or();
        while (tokens.skipName("if")) {
            Expression test = or();
            value = new Expression.Conditional(test, value, tokens.skipName("else") ? expression() : null);
        }
        tokens.leave();
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Expression.Or(left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new Expression.And(left, not());
        }
        return left;
    }

    private Expression not() {
        if (!tokens.skipName("not")) {
            return comparison();
        }
        tokens.enter();
        Expression value = new Expression.Not(not());
        tokens.leave();
        return value;
    }

    private Expression comparison() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> others = new ArrayList<>();
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
                return operators.isEmpty() ? first : new Expression.Comparison(first, operators, others);
            }
            others.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
            left = new Expression.Binary(tokens.next().text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (tokens.skipOperator("~")) {
            left = new Expression.Binary("~", left, product());
        }
        return left;
    }

    private Expression product() {
        Expression left = power();
        while (tokens.peek().kind() == Token.Kind.OPERATOR
                && Set.of("*", "/", "//", "%").contains(tokens.peek().text())) {
            left = new Expression.Binary(tokens.next().text(), left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (tokens.skipOperator("**")) {
            left = new Expression.Binary("**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean filters) {
        tokens.enter();
        Expression value;
        if (tokens.skipOperator("-")) {
            value = new Expression.Negative(unary(false));
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

    private Expression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case NAME -> name(token.text());
            case STRING -> {
                StringBuilder all = new StringBuilder(token.text());
                while (tokens.peek().kind() == Token.Kind.STRING) {
                    all.append(tokens.next().text());
                }
                yield new Expression.Literal(all.toString());
            }
            case INTEGER -> integer(token);
            case FLOAT -> new Expression.Literal(Double.valueOf(token.text()));
            default -> {
                if (token.isOperator("(")) {
                    yield bracketed();
                } else if (token.isOperator("[")) {
                    yield new Expression.ListOf(items("]"));
                } else if (token.isOperator("{")) {
                    yield dict();
                }
                throw new TemplateException(token.line(), "expected a value, found " + Tokens.words(token));
            }
        };
    }

    private static Expression integer(Token token) {
        try {
            return new Expression.Literal(Long.valueOf(token.text()));
        } catch (NumberFormatException _) {
            throw new TemplateException(token.line(), "the number " + token.text() + " is too large");
        }
    }

    private static Expression name(String name) {
        return switch (name) {
            case "true", "True" -> new Expression.Literal(true);
            case "false", "False" -> new Expression.Literal(false);
            case "none", "None" -> new Expression.Literal(Values.NONE);
            default -> new Expression.Name(name);
        };
    }

    private Expression bracketed() {
        if (tokens.skipOperator(")")) {
            return new Expression.ListOf(List.of());
        }
        Expression value = tupleOrOne();
        tokens.expectOperator(")");
        return value;
    }

    private List<Expression> items(String close) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.skipOperator(close)) {
            items.add(expression());
            if (!tokens.peek().isOperator(close)) {
                tokens.expectOperator(",");
            }
        }
        return items;
    }

    private Expression dict() {
        List<Map.Entry<Expression, Expression>> entries = new ArrayList<>();
        while (!tokens.skipOperator("}")) {
            Expression key = expression();
            tokens.expectOperator(":");
            entries.add(Map.entry(key, expression()));
            if (!tokens.peek().isOperator("}")) {
                tokens.expectOperator(",");
            }
        }
        return new Expression.DictOf(entries);
    }

    private Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            if (tokens.skipOperator(".")) {
                Token token = tokens.next();
                value = token.kind() == Token.Kind.INTEGER
                        ? new Expression.Item(value, integer(token))
                        : new Expression.Attribute(value, token.text());
            } else if (tokens.skipOperator("[")) {
                value = subscript(value);
            } else if (tokens.skipOperator("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression of) {
        Expression start = tokens.peek().isOperator(":") ? null : expression();
        if (!tokens.skipOperator(":")) {
            tokens.expectOperator("]");
            return new Expression.Item(of, start);
        }
        Expression stop = bound();
        Expression step = tokens.skipOperator(":") ? bound() : null;
        tokens.expectOperator("]");
        return new Expression.Slice(of, start, stop, step);
    }

    private Expression bound() {
        return tokens.peek().isOperator(":") || tokens.peek().isOperator("]") ? null : expression();
    }

    private Expression.Arguments arguments() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
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
        return new Expression.Arguments(positional, named);
    }

    private Expression filtersAndTests(Expression start) {
        Expression value = start;
        while (true) {
            if (tokens.skipOperator("|")) {
                value = filterNamed(value);
            } else if (tokens.skipName("is")) {
                value = test(value);
            } else if (tokens.skipOperator("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    Expression.Filter filterNamed(Expression of) {
        String name = tokens.expect(Token.Kind.NAME).text();
        return new Expression.Filter(of, name, tokens.skipOperator("(") ? arguments() : Expression.Arguments.NONE);
    }

    private Expression test(Expression of) {
        boolean negated = tokens.skipName("not");
        String name = tokens.expect(Token.Kind.NAME).text();
        List<Expression> arguments = List.of();
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
        Expression test = new Expression.Test(of, name, arguments);
        return negated ? new Expression.Not(test) : test;
    }
}

package dev.kedge.text.jinja;

import java.util.List;
import java.util.Map;

/// The expressions of the template language.
sealed interface Expression {
    record Literal(Object value) implements Expression {}

    record Name(String name) implements Expression {}

    record ListOf(List<Expression> items) implements Expression {}

    record DictOf(List<Map.Entry<Expression, Expression>> entries) implements Expression {}

    record Attribute(Expression of, String name) implements Expression {}

    record Item(Expression of, Expression key) implements Expression {}

    /// `of[start:stop:step]`; a bound that is not written is null.
    record Slice(Expression of, Expression start, Expression stop, Expression step) implements Expression {}

    record Call(Expression function, Arguments arguments) implements Expression {}

    record Filter(Expression of, String name, Arguments arguments) implements Expression {}

    record Test(Expression of, String name, List<Expression> arguments) implements Expression {}

    record Not(Expression of) implements Expression {}

    record Negative(Expression of) implements Expression {}

    record Binary(String operator, Expression left, Expression right) implements Expression {}

    record Comparison(Expression first, List<String> operators, List<Expression> others) implements Expression {}

    record And(Expression left, Expression right) implements Expression {}

    record Or(Expression left, Expression right) implements Expression {}

    /// `then if test else otherwise`; without an else, `otherwise` is null and the value undefined.
    record Conditional(Expression test, Expression then, Expression otherwise) implements Expression {}

    record Arguments(List<Expression> positional, Map<String, Expression> named) {
        static final Arguments NONE = new Arguments(List.of(), Map.of());
    }
}

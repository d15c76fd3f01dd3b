package dev.kedge.text.jinja;

import java.util.List;
import java.util.Map;

/// The expressions of the template language.
sealed interface JinjaExpression {
    record Literal(Object value) implements JinjaExpression {}

    record Name(String name) implements JinjaExpression {}

    record ListOf(List<JinjaExpression> items) implements JinjaExpression {}

    record DictOf(List<Map.Entry<JinjaExpression, JinjaExpression>> entries) implements JinjaExpression {}

    record Attribute(JinjaExpression of, String name) implements JinjaExpression {}

    record Item(JinjaExpression of, JinjaExpression key) implements JinjaExpression {}

    /// `of[start:stop:step]`; a bound that is not written is null.
    record Slice(JinjaExpression of, JinjaExpression start, JinjaExpression stop, JinjaExpression step)
            implements JinjaExpression {}

    record Call(JinjaExpression function, Arguments arguments) implements JinjaExpression {}

    record Filter(JinjaExpression of, String name, Arguments arguments) implements JinjaExpression {}

    record Test(JinjaExpression of, String name, List<JinjaExpression> arguments) implements JinjaExpression {}

    record Not(JinjaExpression of) implements JinjaExpression {}

    record Negative(JinjaExpression of) implements JinjaExpression {}

    record Binary(String operator, JinjaExpression left, JinjaExpression right) implements JinjaExpression {}

    record Comparison(JinjaExpression first, List<String> operators, List<JinjaExpression> others)
            implements JinjaExpression {}

    record And(JinjaExpression left, JinjaExpression right) implements JinjaExpression {}

    record Or(JinjaExpression left, JinjaExpression right) implements JinjaExpression {}

    /// `then if test else otherwise`; without an else, `otherwise` is null and the value undefined.
    record Conditional(JinjaExpression test, JinjaExpression then, JinjaExpression otherwise)
            implements JinjaExpression {}

    record Arguments(List<JinjaExpression> positional, Map<String, JinjaExpression> named) {
        static final Arguments NONE = new Arguments(List.of(), Map.of());
    }
}

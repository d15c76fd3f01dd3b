package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.List;

/// The arithmetic of templates: whole numbers are 64-bit and refuse to overflow.
final class Operators {
    private final Values values;
    private final Budget budget;

    Operators(Values values, Budget budget) {
        this.values = values;
        this.budget = budget;
    }

    Object apply(String operator, Object a, Object b) {
        if (operator.equals("~")) {
            return concatenate(values.string(a), values.string(b));
        }
        if (operator.equals("+") && a instanceof String s && b instanceof String t) {
            return concatenate(s, t);
        }
        if (operator.equals("+") && a instanceof List<?> l && b instanceof List<?> m) {
            budget.items((long) l.size() + m.size());
            List<Object> both = new ArrayList<>(l);
            both.addAll(m);
            return both;
        }
        if (operator.equals("*") && (a instanceof Long || a instanceof Boolean) && !Values.isNumber(b)) {
            return repeat(b, values.integer(a));
        }
        if (operator.equals("*") && !Values.isNumber(a) && (b instanceof Long || b instanceof Boolean)) {
            return repeat(a, values.integer(b));
        }
        if (operator.equals("%") && a instanceof String s) {
            return percent(s, b instanceof List<?> l ? l : List.of(b));
        }
        if (!Values.isNumber(a) || !Values.isNumber(b)) {
            throw budget.error(
                    "cannot apply '" + operator + "' to " + Values.typeName(a) + " and " + Values.typeName(b));
        }
        boolean whole = !(a instanceof Double) && !(b instanceof Double);
        if (Values.real(b) == 0 && List.of("/", "//", "%").contains(operator)) {
            throw budget.error("division by zero");
        }
        return whole && !operator.equals("/")
                ? whole(operator, values.integer(a), values.integer(b))
                : real(operator, Values.real(a), Values.real(b));
    }

    private String concatenate(String a, String b) {
        budget.length((long) a.length() + b.length());
        return a + b;
    }

    private Object repeat(Object value, long count) {
        long times = Math.max(0, count);
        return switch (value) {
            case String s -> {
                budget.length(product(s.length(), times));
                yield s.isEmpty() ? "" : s.repeat((int) times);
            }
            case List<?> l -> {
                budget.items(product(l.size(), times));
                List<Object> all = new ArrayList<>();
                for (long i = 0; i < times && !l.isEmpty(); i++) {
                    all.addAll(l);
                }
                yield all;
            }
            default -> throw budget.error("cannot repeat " + Values.typeName(value));
        };
    }

    private static long product(long a, long b) {
        return b != 0 && a > Long.MAX_VALUE / b ? Long.MAX_VALUE : a * b;
    }

    private Object whole(String operator, long a, long b) {
        try {
            return switch (operator) {
                case "+" -> Math.addExact(a, b);
                case "-" -> Math.subtractExact(a, b);
                case "*" -> Math.multiplyExact(a, b);
                case "//" -> Math.floorDiv(a, b);
                case "%" -> Math.floorMod(a, b);
                default -> b < 0 ? (Object) Math.pow(a, b) : power(a, b);
            };
        } catch (ArithmeticException _) {
            throw budget.error("a whole number overflows");
        }
    }

    private long power(long a, long b) {
        long result = 1;
        for (long i = 0; i < b; i++) {
            budget.step();
            result = Math.multiplyExact(result, a);
        }
        return result;
    }

    private static Object real(String operator, double a, double b) {
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - b * Math.floor(a / b);
            default -> Math.pow(a, b);
        };
    }

    /// `'%s has %d' % values`, with the conversions s, d, i and %.
    String percent(String format, List<?> arguments) {
        StringBuilder out = new StringBuilder();
        int next = 0;
        for (int i = 0; i < format.length(); i++) {
            if (format.charAt(i) != '%' || i + 1 == format.length()) {
                out.append(format.charAt(i));
                continue;
            }
            char conversion = format.charAt(++i);
            if (conversion == '%') {
                out.append('%');
            } else if ("sdi".indexOf(conversion) >= 0 && next < arguments.size()) {
                Object value = arguments.get(next++);
                String text = conversion == 's' ? values.string(value) : Long.toString(values.integer(value));
                budget.grows(out, text.length());
                out.append(text);
            } else {
                throw budget.error("the format '%" + conversion + "' is unknown or has no value");
            }
        }
        return out.toString();
    }
}

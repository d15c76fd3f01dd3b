package dev.kedge.text.jinja;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The functions that chat templates find: `range`, `namespace`, `dict`, `raise_exception`, `strftime_now`.
record Globals(Clock clock) {
    private static final long MAX_RANGE = 100_000;

    void bind(Variables scope, Values values, Budget budget) {
        scope.set("range", (Values.Function) (a, _) -> range(a, values, budget));
        scope.set("dict", (Values.Function) (_, named) -> new LinkedHashMap<Object, Object>(named));
        scope.set("namespace", (Values.Function) (a, named) -> {
            Values.Namespace namespace = new Values.Namespace();
            if (!a.isEmpty() && a.getFirst() instanceof Map<?, ?> m) {
                m.forEach((k, v) -> namespace.attributes.put(values.string(k), v));
            }
            namespace.attributes.putAll(named);
            return namespace;
        });
        scope.set("raise_exception", (Values.Function) (a, _) -> {
            throw budget.error(a.isEmpty() ? "refused" : values.string(a.getFirst()));
        });
        scope.set("strftime_now", (Values.Function)
                (a, _) -> strftime(a.isEmpty() ? "" : values.string(a.getFirst()), budget));
    }

    private static Object range(List<Object> a, Values values, Budget budget) {
        if (a.isEmpty() || a.size() > 3) {
            throw budget.error("range takes 1 to 3 numbers");
        }
        long start = a.size() == 1 ? 0 : values.integer(a.getFirst());
        long stop = values.integer(a.get(a.size() == 1 ? 0 : 1));
        long step = a.size() == 3 ? values.integer(a.get(2)) : 1;
        if (step == 0) {
            throw budget.error("range cannot step by 0");
        }
        List<Object> all = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            if (all.size() == MAX_RANGE) {
                throw budget.error("a range is longer than " + MAX_RANGE);
            }
            all.add(i);
        }
        budget.reading(all);
        return all;
    }

    private String strftime(String format, Budget budget) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char directive = format.charAt(++i);
            boolean bare = directive == '-' && i + 1 < format.length();
            directive = bare ? format.charAt(++i) : directive;
            String pattern =
                    switch (directive) {
                        case 'd' -> bare ? "d" : "dd";
                        case 'm' -> bare ? "M" : "MM";
                        case 'Y' -> "uuuu";
                        case 'y' -> "uu";
                        case 'b' -> "MMM";
                        case 'B' -> "MMMM";
                        case 'a' -> "EEE";
                        case 'A' -> "EEEE";
                        case 'H' -> bare ? "H" : "HH";
                        case 'I' -> bare ? "h" : "hh";
                        case 'M' -> bare ? "m" : "mm";
                        case 'S' -> bare ? "s" : "ss";
                        case 'p' -> "a";
                        case 'j' -> bare ? "D" : "DDD";
                        case 'F' -> "uuuu-MM-dd";
                        case 'T' -> "HH:mm:ss";
                        case 'Z' -> "zzz";
                        case 'z' -> "xx";
                        case '%' -> "'%'";
                        default -> throw budget.error("strftime_now does not know %" + directive);
                    };
            out.append(DateTimeFormatter.ofPattern(pattern, Locale.US).format(now));
        }
        return out.toString();
    }
}

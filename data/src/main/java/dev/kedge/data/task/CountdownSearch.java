package dev.kedge.data.task;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// All that can be made of some numbers, from the sets of one number up: a set's values are those of two parts of it,
/// put together. Values stay whole and above 0, which leaves no target above 0 out: a difference below 0 can be
/// turned round, and a 0 only wastes numbers.
final class CountdownSearch {
    private static final int SUM = 0;
    private static final int PRODUCT = 1;
    private static final int NUMBER = 2;

    private CountdownSearch() {}

    /// An expression, and what holds it together: what binds less needs parentheses.
    private record Written(String text, int binding) {
        private String within(int least) {
            return binding < least ? "(" + text + ")" : text;
        }
    }

    /// An expression that comes to the target and uses each number once at most, of those with the fewest numbers;
    /// empty where there is none.
    ///
    /// @param numbers each above 0; their product fits 63 bits
    static Optional<String> solution(List<Integer> numbers, long target) {
        int all = 1 << numbers.size();
        List<Map<Long, Written>> made = new ArrayList<>();
        IntStream.range(0, all).forEach(_ -> made.add(new LinkedHashMap<>()));
        for (int count = 1; count <= numbers.size(); count++) {
            for (int set = 1; set < all; set++) {
                if (Integer.bitCount(set) == count) {
                    Map<Long, Written> values = made.get(set);
                    if (count == 1) {
                        int number = numbers.get(Integer.numberOfTrailingZeros(set));
                        values.put((long) number, new Written(Integer.toString(number), NUMBER));
                    }
                    for (int part = (set - 1) & set; part > 0; part = (part - 1) & set) {
                        combine(made.get(part), made.get(set ^ part), values);
                    }
                    if (values.containsKey(target)) {
                        return Optional.of(values.get(target).text);
                    }
                }
            }
        }
        return Optional.empty();
    }

    /// Each pair of parts comes here in both orders: sums and products are made in one of them.
    private static void combine(Map<Long, Written> lefts, Map<Long, Written> rights, Map<Long, Written> into) {
        lefts.forEach((a, left) -> rights.forEach((b, right) -> {
            if (a >= b) {
                add(into, a + b, left, '+', right, SUM);
                add(into, a * b, left, '*', right, PRODUCT);
            }
            if (a > b) {
                add(into, a - b, left, '-', right, SUM);
            }
            if (a % b == 0) {
                add(into, a / b, left, '/', right, PRODUCT);
            }
        }));
    }

    private static void add(
            Map<Long, Written> into, long value, Written left, char operator, Written right, int binding) {
        boolean regroups = operator == '+' || operator == '*';
        into.computeIfAbsent(
                value,
                _ -> new Written(
                        left.within(binding) + operator + right.within(regroups ? binding : binding + 1), binding));
    }
}

package dev.kedge.data;

import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Examples to learn from and examples to judge by; none is in both.
///
/// @param train   in the order of the whole
/// @param heldOut in the order of the whole
public record Split<T>(List<T> train, List<T> heldOut) {
    public Split {
        train = List.copyOf(train);
        heldOut = List.copyOf(heldOut);
    }

    /// Holds out `heldOut` examples drawn by seed.
    ///
    /// @param heldOut from 0 to the number of examples
    public static <T> Split<T> seeded(List<T> all, int heldOut, long seed) {
        return of(all, places(all), heldOut, drawn(all.size(), seed));
    }

    /// Holds out whole groups drawn by seed; the same draw where no two examples are of one group.
    ///
    /// @param group   which examples belong on one side, as those of one prompt do, by `equals`
    /// @param heldOut from 0 to the number of examples; as near to it as whole groups come, at least two where
    ///                two are asked for, and never all unless all are
    /// @throws IllegalArgumentException if some are to be held out and some not, and all are of one group
    public static <T> Split<T> seeded(List<T> all, Function<? super T, ?> group, int heldOut, long seed) {
        return of(all, groups(all, group), heldOut, drawn(all.size(), seed));
    }

    private static int[] drawn(int count, long seed) {
        return new SeededOrder(Streams.of(seed, "held out")).permutation(count);
    }

    /// Holds out the given share of the examples, rounded, drawn by seed.
    ///
    /// @param share from 0 to 1
    public static <T> Split<T> seededShare(List<T> all, double share, long seed) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be from 0 to 1, was " + share);
        }
        return seeded(all, (int) Math.round(share * all.size()), seed);
    }

    /// The last examples to judge by, all others to learn from.
    ///
    /// @param heldOut from 0 to the number of examples
    public static <T> Split<T> last(List<T> all, int heldOut) {
        return of(all, places(all), heldOut, backwards(all.size()));
    }

    /// The last groups to judge by, all others to learn from: whole groups as in [#seeded(List, Function, int, long)].
    public static <T> Split<T> last(List<T> all, Function<? super T, ?> group, int heldOut) {
        return of(all, groups(all, group), heldOut, backwards(all.size()));
    }

    /// The first groups to judge by, all others to learn from: whole groups as in [#seeded(List, Function, int, long)].
    public static <T> Split<T> first(List<T> all, Function<? super T, ?> group, int heldOut) {
        return of(
                all, groups(all, group), heldOut, IntStream.range(0, all.size()).toArray());
    }

    /// The first examples to learn from, the last to judge by; what lies between is in neither.
    ///
    /// @throws IllegalArgumentException if both together are more than there are
    public static <T> Split<T> firstAndLast(List<T> all, int train, int heldOut) {
        requireFits("train", train, all.size());
        requireFits("heldOut", heldOut, all.size() - train);
        return new Split<>(all.subList(0, train), all.subList(all.size() - heldOut, all.size()));
    }

    /// How many examples are of the group of an earlier one.
    public static <T> int repeats(List<T> all, Function<? super T, ?> group) {
        return all.size() - new HashSet<>(groups(all, group)).size();
    }

    /// How many of `judged` are of a group that is learnt from: a held-out score is too good where there are any.
    public static <T> int shared(List<T> learnt, List<T> judged, Function<? super T, ?> group) {
        Set<Object> known = new HashSet<>(groups(learnt, group));
        return (int) groups(judged, group).stream().filter(known::contains).count();
    }

    private static <T> List<Object> groups(List<T> all, Function<? super T, ?> group) {
        return all.stream().<Object>map(group).toList();
    }

    /// Each example a group of its own.
    private static List<Integer> places(List<?> all) {
        return IntStream.range(0, all.size()).boxed().toList();
    }

    private static int[] backwards(int count) {
        return IntStream.range(0, count).map(i -> count - 1 - i).toArray();
    }

    /// Holds out whole groups, chosen among the earlier ones of an order.
    private static <T> Split<T> of(List<T> all, List<?> groups, int heldOut, int[] order) {
        requireFits("heldOut", heldOut, all.size());
        Map<Object, List<Integer>> members = new LinkedHashMap<>();
        for (int i : order) {
            members.computeIfAbsent(groups.get(i), _ -> new ArrayList<>()).add(i);
        }
        List<List<Integer>> drawn = List.copyOf(members.values());
        boolean[] held = new boolean[all.size()];
        for (int g : nearest(drawn.stream().mapToInt(List::size).toArray(), heldOut)) {
            drawn.get(g).forEach(i -> held[i] = true);
        }
        return new Split<>(chosen(all, held, false), chosen(all, held, true));
    }

    /// The groups that together come nearest to `wanted`: of several choices one from the shortest beginning of the
    /// order, so that groups of one example are simply the first ones.
    private static List<Integer> nearest(int[] sizes, int wanted) {
        int all = Arrays.stream(sizes).sum();
        int largest = Arrays.stream(sizes).max().orElse(0);
        int limit = (int) Math.min(wanted == all ? all : all - 1, Math.max(2L * wanted, largest));
        int[] last = new int[limit + 1]; // the group that first brought the earlier ones to a sum; -1: none yet
        Arrays.fill(last, 1, limit + 1, -1);
        int reached = 0;
        for (int g = 0; g < sizes.length && last[wanted] < 0; g++) {
            reached = (int) Math.min(limit, (long) reached + sizes[g]);
            for (int sum = reached; sum >= sizes[g]; sum--) {
                last[sum] = last[sum] < 0 && last[sum - sizes[g]] >= 0 ? g : last[sum];
            }
        }
        int nearest = IntStream.rangeClosed(Math.min(2, wanted), limit)
                .filter(sum -> last[sum] >= 0)
                .boxed()
                .min(Comparator.comparingInt(sum -> Math.abs(sum - wanted)))
                .orElseThrow(() -> new IllegalArgumentException(
                        "of one group none can be held out: all " + all + " examples are of one"));
        List<Integer> chosen = new ArrayList<>();
        for (int sum = nearest; sum > 0; sum -= sizes[chosen.getLast()]) {
            chosen.add(last[sum]);
        }
        return chosen;
    }

    private static <T> List<T> chosen(List<T> all, boolean[] held, boolean wanted) {
        return IntStream.range(0, held.length)
                .filter(i -> held[i] == wanted)
                .mapToObj(all::get)
                .toList();
    }

    private static void requireFits(String name, int n, int available) {
        if (n < 0 || n > available) {
            throw new IllegalArgumentException(name + " must be from 0 to " + available + ", was " + n);
        }
    }
}

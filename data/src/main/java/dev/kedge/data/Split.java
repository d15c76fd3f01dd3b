package dev.kedge.data;

import dev.kedge.tensor.Streams;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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
        requireFits("heldOut", heldOut, all.size());
        int[] order = new SeededOrder(Streams.of(seed, "held out")).permutation(all.size());
        boolean[] held = new boolean[all.size()];
        for (int i = 0; i < heldOut; i++) {
            held[order[i]] = true;
        }
        return new Split<>(chosen(all, held, false), chosen(all, held, true));
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
        requireFits("heldOut", heldOut, all.size());
        return firstAndLast(all, all.size() - heldOut, heldOut);
    }

    /// The first examples to learn from, the last to judge by; what lies between is in neither.
    ///
    /// @throws IllegalArgumentException if both together are more than there are
    public static <T> Split<T> firstAndLast(List<T> all, int train, int heldOut) {
        requireFits("train", train, all.size());
        requireFits("heldOut", heldOut, all.size() - train);
        return new Split<>(all.subList(0, train), all.subList(all.size() - heldOut, all.size()));
    }

    /// Prompts that stand on both sides.
    ///
    /// @param heldOutExamples how many held-out examples have a prompt that is also trained on
    /// @param prompts         these prompts, each once, in the order of the held-out examples
    public record SharedPrompts(int heldOutExamples, Set<String> prompts) {}

    /// Looks for prompts that stand on both sides, compared without the white space around them: a held-out score is
    /// too good where there are any.
    public static SharedPrompts sharedPrompts(Split<? extends Example> split) {
        Set<String> trained = new HashSet<>();
        split.train.forEach(e -> trained.add(e.promptText().strip()));
        Set<String> shared = new LinkedHashSet<>();
        int count = 0;
        for (Example example : split.heldOut) {
            String prompt = example.promptText().strip();
            if (trained.contains(prompt)) {
                shared.add(prompt);
                count++;
            }
        }
        return new SharedPrompts(count, shared);
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

package dev.kedge.data;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/// Where two replies differ, token by token: 0 where a token is shared, or stands on one side only, k >= 1 where it
/// is part of the k-th phrase that one reply has in place of the other's.
///
/// @param chosen   one number for each token of the chosen reply; not copied, so not to be changed
/// @param rejected likewise of the rejected one
public record DifferingSpans(int[] chosen, int[] rejected) {

    /// Compares token ids by longest matching blocks: the longest run of tokens that both replies have is shared
    /// (of equally long ones the earliest in the chosen reply, then in the rejected one), and what lies before it
    /// and after it is compared in the same way. What lies between two shared runs is a phrase, numbered from the
    /// left, if it has tokens on both sides; a mere insertion or deletion is none.
    ///
    /// So replies that are equal, or of which one is empty, have no phrase; replies with no token in common are
    /// one. Takes time in proportion to the product of the lengths, times the number of blocks at the worst. Unlike
    /// Python's `difflib`, which the method's authors call, it never takes frequent tokens for noise.
    public static DifferingSpans between(int[] chosen, int[] rejected) {
        DifferingSpans spans = new DifferingSpans(new int[chosen.length], new int[rejected.length]);
        int phrases = 0;
        Deque<Window> open = new ArrayDeque<>(); // the leftmost on top
        open.push(new Window(0, chosen.length, 0, rejected.length));
        while (!open.isEmpty()) {
            Window window = open.pop();
            if (window.isOneSided()) {
                continue;
            }
            Window shared = longestShared(chosen, rejected, window);
            if (shared.isOneSided()) {
                phrases++;
                Arrays.fill(spans.chosen, window.from(), window.to(), phrases);
                Arrays.fill(spans.rejected, window.otherFrom(), window.otherTo(), phrases);
            } else {
                open.push(new Window(shared.to(), window.to(), shared.otherTo(), window.otherTo()));
                open.push(new Window(window.from(), shared.from(), window.otherFrom(), shared.otherFrom()));
            }
        }
        return spans;
    }

    /// [#between] the targets of a pair, which are what a loss can fall on: one number for each, in their order.
    public static DifferingSpans between(TokenizedPair pair) {
        return between(targets(pair.chosen()), targets(pair.rejected()));
    }

    /// The same sequences with the tokens of their phrases as the only targets: none where they have no phrase.
    public static TokenizedPair phrasesOf(TokenizedPair pair) {
        DifferingSpans spans = between(pair);
        return new TokenizedPair(restricted(pair.chosen(), spans.chosen), restricted(pair.rejected(), spans.rejected));
    }

    private static Tokenized restricted(Tokenized sequence, int[] phraseOf) {
        boolean[] target = sequence.target().clone();
        int n = 0;
        for (int t = 0; t < target.length; t++) {
            target[t] = target[t] && phraseOf[n++] > 0;
        }
        return sequence.withTarget(target);
    }

    /// How many phrases there are.
    public int phrases() {
        return Arrays.stream(chosen).max().orElse(0);
    }

    private static int[] targets(Tokenized sequence) {
        int[] targets = new int[sequence.targets()];
        int n = 0;
        for (int t = 0; t < sequence.length(); t++) {
            if (sequence.target()[t]) {
                targets[n++] = sequence.tokens()[t];
            }
        }
        return targets;
    }

    /// Tokens `from..to` of the chosen reply against `otherFrom..otherTo` of the rejected one, ends exclusive.
    private record Window(int from, int to, int otherFrom, int otherTo) {
        boolean isOneSided() {
            return from == to || otherFrom == otherTo;
        }
    }

    /// Empty if no token is shared.
    private static Window longestShared(int[] a, int[] b, Window in) {
        Window longest = new Window(in.from(), in.from(), in.otherFrom(), in.otherFrom());
        int[] runs = new int[in.otherTo() - in.otherFrom() + 1]; // runs[j + 1]: length of the shared run ending at i, j
        for (int i = in.from(); i < in.to(); i++) {
            for (int j = in.otherTo() - in.otherFrom() - 1; j >= 0; j--) { // from the right: runs[j] is still i - 1's
                int end = in.otherFrom() + j + 1;
                runs[j + 1] = a[i] == b[end - 1] ? runs[j] + 1 : 0;
                int length = runs[j + 1];
                int best = longest.to() - longest.from();
                boolean earlier = length == best && i + 1 == longest.to() && end < longest.otherTo();
                if (length > best || (length > 0 && earlier)) {
                    longest = new Window(i + 1 - length, i + 1, end - length, end);
                }
            }
        }
        return longest;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DifferingSpans(int[] c, int[] r)
                && Arrays.equals(chosen, c)
                && Arrays.equals(rejected, r);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(chosen) + Arrays.hashCode(rejected);
    }

    @Override
    public String toString() {
        return "DifferingSpans[chosen=" + Arrays.toString(chosen) + ", rejected=" + Arrays.toString(rejected) + "]";
    }
}

package dev.kedge.data;

import java.util.Arrays;

/// Token ids and which of them are to be learnt.
///
/// @param tokens ids, at least one; not copied, so not to be changed
/// @param target `target[t]` says that the loss falls on predicting `tokens[t]` from the tokens before it;
///               `target[0]` is false, as nothing stands before it
public record Tokenized(int[] tokens, boolean[] target) {
    public Tokenized {
        if (tokens.length == 0 || tokens.length != target.length) {
            throw new IllegalArgumentException("expected as many targets as tokens, at least one, were " + target.length
                    + " and " + tokens.length);
        }
        if (target[0]) {
            throw new IllegalArgumentException("the first token cannot be a target: nothing stands before it");
        }
    }

    /// Each token after the first is a target.
    public static Tokenized ofDocument(int[] tokens) {
        boolean[] target = new boolean[tokens.length];
        Arrays.fill(target, 1, target.length, true);
        return new Tokenized(tokens, target);
    }

    /// A prompt, then a reply of which each token is a target; without a prompt its first token is none.
    public static Tokenized ofReply(int[] prompt, int[] reply) {
        int[] tokens = Arrays.copyOf(prompt, prompt.length + reply.length);
        System.arraycopy(reply, 0, tokens, prompt.length, reply.length);
        boolean[] target = new boolean[tokens.length];
        Arrays.fill(target, Math.max(prompt.length, 1), target.length, true);
        return new Tokenized(tokens, target);
    }

    public int length() {
        return tokens.length;
    }

    /// How many tokens are to be learnt.
    public int targets() {
        int n = 0;
        for (boolean t : target) {
            n += t ? 1 : 0;
        }
        return n;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tokenized(int[] ids, boolean[] mask)
                && Arrays.equals(tokens, ids)
                && Arrays.equals(target, mask);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(tokens) + Arrays.hashCode(target);
    }

    @Override
    public String toString() {
        return "Tokenized[tokens=" + Arrays.toString(tokens) + ", target=" + Arrays.toString(target) + "]";
    }
}

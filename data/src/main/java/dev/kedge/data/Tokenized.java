package dev.kedge.data;

import java.util.Arrays;

/// Token ids, where their prompt ends, and which of them are to be learnt. A prompt alone is one without targets, a
/// document one without a prompt.
///
/// @param tokens       ids, at least one; not copied, so not to be changed
/// @param target       `target[t]` says that the loss falls on predicting `tokens[t]` from the tokens before it;
///                     `target[0]` is false, as nothing stands before it
/// @param promptLength how many of the first tokens are the prompt, of which none is a target
public record Tokenized(int[] tokens, boolean[] target, int promptLength) {
    public Tokenized {
        if (tokens.length == 0 || tokens.length != target.length) {
            throw new IllegalArgumentException("expected as many targets as tokens, at least one, were " + target.length
                    + " and " + tokens.length);
        }
        if (target[0]) {
            throw new IllegalArgumentException("the first token cannot be a target: nothing stands before it");
        }
        if (promptLength < 0 || promptLength > firstTarget(target)) {
            throw new IllegalArgumentException("expected a prompt that ends before the first target, at "
                    + firstTarget(target) + ", ends at " + promptLength);
        }
    }

    /// With all that stands before the first target as the prompt.
    public Tokenized(int[] tokens, boolean[] target) {
        this(tokens, target, firstTarget(target));
    }

    /// Each token after the first is a target.
    public static Tokenized ofDocument(int[] tokens) {
        return ofReply(new int[0], tokens);
    }

    /// A prompt, then a reply of which each token is a target; without a prompt its first token is none.
    public static Tokenized ofReply(int[] prompt, int[] reply) {
        boolean[] target = new boolean[reply.length];
        Arrays.fill(target, true);
        return joined(prompt, reply, target);
    }

    /// A prompt alone: nothing of it is learnt.
    public static Tokenized ofPrompt(int[] prompt) {
        return new Tokenized(prompt, new boolean[prompt.length], prompt.length);
    }

    /// A prompt, then what follows it; without a prompt the first token is no target.
    ///
    /// @param target for each token of `rest`
    static Tokenized joined(int[] prompt, int[] rest, boolean[] target) {
        int[] tokens = Arrays.copyOf(prompt, prompt.length + rest.length);
        System.arraycopy(rest, 0, tokens, prompt.length, rest.length);
        boolean[] all = new boolean[tokens.length];
        System.arraycopy(target, 0, all, prompt.length, target.length);
        if (all.length > 0) {
            all[0] = false;
        }
        return new Tokenized(tokens, all, prompt.length);
    }

    /// The tokens of the prompt.
    public int[] prompt() {
        return Arrays.copyOf(tokens, promptLength);
    }

    /// What follows the prompt, behind another one.
    ///
    /// @param maxLength tokens of both together, more than the prompt has; what follows is cut to fit
    public Tokenized after(int[] otherPrompt, int maxLength) {
        int end = Math.min(tokens.length, promptLength + maxLength - otherPrompt.length);
        return joined(
                otherPrompt,
                Arrays.copyOfRange(tokens, promptLength, end),
                Arrays.copyOfRange(target, promptLength, end));
    }

    /// The same tokens with other targets.
    public Tokenized withTarget(boolean[] other) {
        return new Tokenized(tokens, other, promptLength);
    }

    /// The same tokens, more or fewer of which are the prompt.
    public Tokenized withPromptLength(int other) {
        return new Tokenized(tokens, target, other);
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

    private static int firstTarget(boolean[] target) {
        int t = 0;
        while (t < target.length && !target[t]) {
            t++;
        }
        return t;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tokenized(int[] ids, boolean[] mask, int prompt)
                && Arrays.equals(tokens, ids)
                && Arrays.equals(target, mask)
                && promptLength == prompt;
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(tokens) + Arrays.hashCode(target);
    }

    @Override
    public String toString() {
        return "Tokenized[tokens=" + Arrays.toString(tokens) + ", target=" + Arrays.toString(target) + ", promptLength="
                + promptLength + "]";
    }
}

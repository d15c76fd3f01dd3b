package dev.kedge.data;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/// A prompt, what follows it, and which of the latter is to be learnt, before it is made to fit.
///
/// @param prompt  the tokens before the first target
/// @param reply   the tokens from there on
/// @param target  for each of `reply`
record Spoken(int[] prompt, int[] reply, boolean[] target) {

    Optional<Tokenized> fitted(int maxLength, Truncation truncation, OptionalInt bos) {
        return fittedPrompt(prompt, reply.length, maxLength, truncation, bos)
                .map(p -> joined(p, Math.min(reply.length, maxLength - p.length)))
                .filter(t -> t.targets() > 0);
    }

    /// Both with the same prompt, which leaves room for the longer reply.
    static Optional<TokenizedPair> fittedPair(
            Spoken chosen, Spoken rejected, int maxLength, Truncation truncation, OptionalInt bos) {
        int longer = Math.max(chosen.reply.length, rejected.reply.length);
        Optional<int[]> prompt = fittedPrompt(chosen.prompt, longer, maxLength, truncation, bos);
        if (prompt.isEmpty()) {
            return Optional.empty();
        }
        int room = maxLength - prompt.get().length;
        Tokenized c = chosen.joined(prompt.get(), Math.min(chosen.reply.length, room));
        Tokenized r = rejected.joined(prompt.get(), Math.min(rejected.reply.length, room));
        boolean nothingToLearn = c.targets() == 0 || r.targets() == 0 || (longer > room && c.equals(r));
        return nothingToLearn ? Optional.empty() : Optional.of(new TokenizedPair(c, r));
    }

    /// A prompt that is to stand alone.
    static Optional<int[]> fittedPrompt(int[] prompt, int maxLength, Truncation truncation, OptionalInt bos) {
        return fittedPrompt(
                prompt, 0, maxLength, truncation == Truncation.CUT_REPLY ? Truncation.DROP : truncation, bos);
    }

    private static Optional<int[]> fittedPrompt(
            int[] prompt, int replyLength, int maxLength, Truncation truncation, OptionalInt bos) {
        long room = (long) maxLength - replyLength;
        if (prompt.length <= room) {
            return Optional.of(prompt);
        }
        return switch (truncation) {
            case DROP -> Optional.empty();
            case CUT_REPLY -> prompt.length < maxLength ? Optional.of(prompt) : Optional.empty();
            case KEEP_PROMPT_START -> room < 1 ? Optional.empty() : Optional.of(Arrays.copyOf(prompt, (int) room));
            case KEEP_PROMPT_END -> room < 1 ? Optional.empty() : Optional.of(lastTokens(prompt, (int) room, bos));
        };
    }

    private static int[] lastTokens(int[] prompt, int room, OptionalInt bos) {
        int[] kept = Arrays.copyOfRange(prompt, prompt.length - room, prompt.length);
        if (room > 1 && bos.isPresent() && prompt[0] == bos.getAsInt()) {
            kept[0] = prompt[0];
        }
        return kept;
    }

    private Tokenized joined(int[] fittedPrompt, int replyLength) {
        return Tokenized.joined(fittedPrompt, Arrays.copyOf(reply, replyLength), Arrays.copyOf(target, replyLength));
    }
}

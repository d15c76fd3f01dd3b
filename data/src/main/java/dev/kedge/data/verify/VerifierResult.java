package dev.kedge.data.verify;

import java.util.Map;
import java.util.OptionalDouble;

/// What became of one completion.
///
/// @param reward finite; empty unless the status is OK, so that a recipe leaves the completion out of its group
/// @param status whether there is a reward, or why not
/// @param reason one line; empty if the status is OK
/// @param parts  of a [WeightedSum] the unweighted rewards of the parts that gave one, by name; else empty
public record VerifierResult(OptionalDouble reward, Status status, String reason, Map<String, Double> parts) {
    private static final int MAX_REASON = 200;

    /// Whether there is a reward, or why not.
    public enum Status {
        OK,
        /// The verifier threw, or refused the question.
        THREW,
        /// It did not end in time, or was not begun because too many that did not end still run.
        TIMED_OUT,
        /// It gave NaN, an infinite number, or something else in a number's place.
        NOT_A_NUMBER,
        /// The endpoint could not be reached, or went on answering with errors.
        UNREACHABLE,
        /// The endpoint answered with something else than the numbers asked for.
        BAD_REPLY
    }

    static VerifierResult of(double reward) {
        return Double.isFinite(reward)
                ? new VerifierResult(OptionalDouble.of(reward), Status.OK, "", Map.of())
                : failed(Status.NOT_A_NUMBER, "the reward was " + reward + ", must be finite");
    }

    static VerifierResult failed(Status status, String reason) {
        return new VerifierResult(OptionalDouble.empty(), status, oneLine(reason), Map.of());
    }

    static VerifierResult threw(Throwable e) {
        return failed(Status.THREW, oneLine(e));
    }

    /// The kind of a failure and its message.
    static String oneLine(Throwable e) {
        String message;
        try {
            message = e.getMessage();
        } catch (RuntimeException | Error _) {
            message = null;
        }
        return oneLine(e.getClass().getSimpleName() + (message == null ? "" : ": " + message));
    }

    /// Control characters and halves of surrogate pairs become spaces: a model's text never reaches a terminal raw.
    static String oneLine(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints().limit(MAX_REASON).forEach(c -> {
            boolean raw = Character.isISOControl(c)
                    || c == 0x2028
                    || c == 0x2029
                    || Character.getType(c) == Character.SURROGATE
                    || Character.getType(c) == Character.FORMAT;
            line.appendCodePoint(raw ? ' ' : c);
        });
        return line.toString().strip();
    }
}

package dev.kedge.objective.invariance;

import dev.kedge.objective.preference.OnlineLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.SequenceLogProbs;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/// Some rows of a step as padded tensors: what an objective under test is called with.
final class Batch {
    private final List<Row> rows;
    private final List<Row> step;
    private final Padding padding;
    private final DType precision;
    private final Map<String, Tensor> leaves = new LinkedHashMap<>();

    /// @param precision of the log-probabilities; other numbers are float64
    Batch(List<Row> rows, List<Row> step, Padding padding, DType precision) {
        this.rows = rows;
        this.step = step;
        this.padding = padding;
        this.precision = precision;
    }

    /// Token log-probabilities under the policy, [B, T], a leaf: the same at every call.
    Tensor policy(String answer) {
        return leaves.computeIfAbsent(
                answer, _ -> collate(answer, Row.Answer::policy).detach().requiresGrad());
    }

    /// Under the reference, [B, T].
    Tensor ref(String answer) {
        return collate(answer, Row.Answer::ref);
    }

    /// Under the policy that sampled, [B, T].
    Tensor old(String answer) {
        return collate(answer, Row.Answer::old);
    }

    /// True at tokens that count, [B, T].
    Tensor mask(String answer) {
        boolean[][] mask = new boolean[rows.size()][width(answer)];
        for (int i = 0; i < mask.length; i++) {
            boolean[] counts = rows.get(i).answers().get(answer).counts();
            System.arraycopy(counts, 0, mask[i], padding.left(), counts.length);
        }
        return Tensor.mask(mask);
    }

    /// A number of each row, [B].
    Tensor scalar(String name) {
        return Tensor.of(rows.stream().mapToDouble(r -> r.scalars().get(name)).toArray());
    }

    /// [#scalar] in the type of the log-probabilities, for objectives that take numbers as they come.
    Tensor typedScalar(String name) {
        return scalar(name).to(precision);
    }

    /// Lengths of the answers, [B].
    Tensor lengths(String answer) {
        return SequenceLogProbs.lengths(mask(answer));
    }

    /// Log-probabilities of answers under the policy, [B].
    Tensor policySums(String answer) {
        return SequenceLogProbs.sum(policy(answer), mask(answer));
    }

    /// Under the reference, [B].
    Tensor refSums(String answer) {
        return SequenceLogProbs.sum(ref(answer), mask(answer));
    }

    /// Under the policy that sampled, [B].
    Tensor oldSums(String answer) {
        return SequenceLogProbs.sum(old(answer), mask(answer));
    }

    /// The answers of each row as a pair.
    PreferenceLogProbs pairs() {
        return new PreferenceLogProbs(
                policySums("chosen"), policySums("rejected"), refSums("chosen"), refSums("rejected"));
    }

    /// The sampled answers of each row: G = 3.
    OnlineLogProbs online() {
        return new OnlineLogProbs(sampled(this::policy), sampled(this::ref));
    }

    private Tensor sampled(Function<String, Tensor> logProbs) {
        return Tensor.stack(
                Row.SAMPLED.stream()
                        .map(name -> SequenceLogProbs.sum(logProbs.apply(name), mask(name)))
                        .toList(),
                1);
    }

    /// Sampled answers of the whole step.
    long samplesInStep() {
        return (long) step.size() * Row.SAMPLED.size();
    }

    /// Whether a number of each row is above 0, boolean [B].
    Tensor positive(String name) {
        return scalar(name).gt(0);
    }

    /// Rows of the whole step.
    long rowsInStep() {
        return step.size();
    }

    /// Tokens that count in the whole step.
    long tokensInStep(String answer) {
        return tokensInStep(answer, _ -> true);
    }

    /// Those of some of its rows.
    long tokensInStep(String answer, Predicate<Row> which) {
        return step.stream().filter(which).mapToLong(r -> r.tokens(answer)).sum();
    }

    List<Row> rows() {
        return rows;
    }

    /// Where a row's first token stands.
    int left() {
        return padding.left();
    }

    Map<String, Tensor> leaves() {
        return leaves;
    }

    private int width(String answer) {
        int longest = rows.stream()
                .mapToInt(r -> r.answers().get(answer).counts().length)
                .max()
                .orElse(0);
        return padding.left() + longest + padding.right();
    }

    private Tensor collate(String answer, Function<Row.Answer, double[]> values) {
        double[][] table = new double[rows.size()][width(answer)];
        for (int i = 0; i < table.length; i++) {
            Arrays.fill(table[i], padding.filler());
            Row.Answer row = rows.get(i).answers().get(answer);
            for (int t = 0; t < row.counts().length; t++) {
                if (row.counts()[t]) {
                    table[i][padding.left() + t] = values.apply(row)[t];
                }
            }
        }
        return Tensor.of(table).to(precision);
    }
}

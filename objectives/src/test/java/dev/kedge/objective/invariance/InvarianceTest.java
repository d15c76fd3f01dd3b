package dev.kedge.objective.invariance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.Loss;
import dev.kedge.objective.continual.Der;
import dev.kedge.objective.continual.Lwf;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.game.Egpo;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.game.NashMdPg;
import dev.kedge.objective.guidance.AutoregressiveReward;
import dev.kedge.objective.occupancy.AnswerDivergence;
import dev.kedge.objective.policy.Oreal;
import dev.kedge.objective.policy.TokenRewardModel;
import dev.kedge.objective.policy.Topr;
import dev.kedge.objective.preference.Adpo;
import dev.kedge.objective.preference.AdpoTargets;
import dev.kedge.objective.preference.AdpoTemperature;
import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.FDpo;
import dev.kedge.objective.preference.Hypo;
import dev.kedge.objective.preference.Ipo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Rrpo;
import dev.kedge.objective.preference.SequenceLogProbs;
import dev.kedge.objective.preference.Slic;
import dev.kedge.objective.preference.Xpo;
import dev.kedge.objective.supervised.Asft;
import dev.kedge.objective.supervised.CrossEntropy;
import dev.kedge.objective.supervised.Dft;
import dev.kedge.objective.supervised.Recap;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The laws that every objective keeps: how a step is split, padded, ordered, and what stands where nothing counts
/// change neither the value, nor a gradient, nor a metric of any row.
class InvarianceTest {
    /// To put another objective under the laws, add a line.
    static Stream<Objective> objectives() {
        return Stream.concat(
                others(), PolicyObjectives.all().entrySet().stream().map(o -> objective(o.getKey(), o.getValue())));
    }

    private static Stream<Objective> others() {
        return Stream.of(
                objective(
                        "cross-entropy",
                        b -> CrossEntropy.crossEntropy(b.policy("chosen"), b.mask("chosen"), b.tokensInStep("chosen"))),
                objective("DPO", b -> Dpo.dpo(b.pairs(), 0.3, b.rowsInStep())),
                objective("conservative DPO", b -> Dpo.conservative(b.pairs(), 0.3, 0.1, b.rowsInStep())),
                objective("robust DPO", b -> Dpo.robust(b.pairs(), 0.3, 0.1, b.rowsInStep())),
                objective(
                        "reference-free DPO",
                        b -> Dpo.referenceFree(b.pairs().chosen(), b.pairs().rejected(), 0.3, b.rowsInStep())),
                objective(
                        "length-normalized DPO",
                        b -> Dpo.lengthNormalized(
                                b.pairs(), b.lengths("chosen"), b.lengths("rejected"), 2, b.rowsInStep())),
                objective("IPO", b -> Ipo.ipo(b.pairs(), 0.3, b.rowsInStep())),
                objective("hinge", b -> Slic.hinge(b.pairs(), 0.3, b.rowsInStep())),
                objective(
                        "autoregressive reward",
                        b -> AutoregressiveReward.logistic(
                                b.policySums("chosen"), b.policySums("rejected"), 0.3, 0.2, 0.1, b.rowsInStep())),
                objective("KL of answers", b -> AnswerDivergence.of(
                                b.policy("chosen"), b.ref("chosen"), b.mask("chosen"), 10)
                        .klPenalty(0.3, b.rowsInStep())),
                objective("f-DPO, reverse KL", b -> FDpo.fDpo(b.pairs(), new ReverseKl(), 0.3, b.rowsInStep())),
                objective("f-DPO, forward KL", b -> FDpo.fDpo(b.pairs(), new ForwardKl(), 0.03, b.rowsInStep())),
                objective("f-DPO, Jensen-Shannon", b -> FDpo.fDpo(b.pairs(), new JensenShannon(), 0.3, b.rowsInStep())),
                objective("f-DPO, alpha", b -> FDpo.fDpo(b.pairs(), new AlphaDivergence(0.5), 0.1, b.rowsInStep())),
                objective("f-DPO, clamped", b -> FDpo.clamped(b.pairs(), new ForwardKl(), 0.03, 2, b.rowsInStep())),
                objective("HyPO", b -> Hypo.hypo(b.pairs(), b.online(), 0.3, 0.1, b.rowsInStep(), b.samplesInStep())),
                objective(
                        "HyPO, leave-one-out",
                        b -> Hypo.leaveOneOut(b.pairs(), b.online(), 0.3, 0.1, b.rowsInStep(), b.samplesInStep())),
                objective("XPO", b -> Xpo.xpo(b.pairs(), b.positive("reward"), 0.2, 0.3, b.rowsInStep())),
                objective("XPO on IPO", b -> Xpo.ipo(b.pairs(), b.positive("reward"), 0.2, 0.3, b.rowsInStep())),
                objective(
                        "INPO",
                        b -> Inpo.inpo(
                                b.pairs(), b.oldSums("chosen"), b.oldSums("rejected"), 0.3, 0.1, b.rowsInStep())),
                objective(
                        "EGPO, sequences",
                        b -> Egpo.sequences(
                                columns(b.policySums("chosen"), b.policySums("rejected")),
                                columns(b.refSums("chosen"), b.refSums("rejected")),
                                columns(
                                        Functional.sigmoid(b.typedScalar("reward")),
                                        Functional.sigmoid(b.typedScalar("advantage"))),
                                0.3,
                                b.rowsInStep())),
                objective(
                        "Nash-MD-PG, sequences",
                        b -> NashMdPg.sequences(
                                b.policySums("chosen"),
                                b.oldSums("chosen"),
                                b.refSums("chosen"),
                                Functional.sigmoid(b.typedScalar("reward")),
                                0.3,
                                b.rowsInStep())),
                objective(
                        "ADPO, listwise",
                        b -> Adpo.listwise(anchored(b), AdpoTargets.groupRelative(rewards(b), 0.5), b.rowsInStep())),
                objective("ADPO, adaptive", InvarianceTest::adaptive),
                objective(
                        "ADPO, pairwise",
                        b -> Adpo.pairwise(anchored(b), AdpoTargets.softPreferences(rewards(b), 1), b.rowsInStep())),
                objective("ADPO, Plackett-Luce", b -> Adpo.plackettLuce(anchored(b), rewards(b), b.rowsInStep())),
                objective(
                        "ADPO, anchor penalty",
                        b -> Adpo.anchorPenalty(
                                b.policy("chosen"), b.ref("chosen"), b.mask("chosen"), 0.1, b.tokensInStep("chosen"))),
                objective("RRPO", InvarianceTest::rrpo),
                objective("LwF", b -> Lwf.lwf(tokenKl(b), b.mask("chosen"), 0.5, b.tokensInStep("chosen"))),
                objective(
                        "DER",
                        b -> Der.der(
                                b.policy("chosen").unsqueeze(2),
                                b.ref("chosen").unsqueeze(2),
                                b.mask("chosen"),
                                0.5,
                                b.tokensInStep("chosen"))),
                objective(
                        "RECAP",
                        b -> Recap.recap(
                                Tensor.stack(List.of(likelihood(b, "chosen"), likelihood(b, "rejected")), 0),
                                1.4,
                                0.6)));
    }

    /// Objectives that hold a weight constant, so that their gradient is not that of their value.
    static Stream<Objective> surrogates() {
        return Stream.of(
                objective("DFT", b -> Dft.dft(b.policy("chosen"), b.mask("chosen"), b.tokensInStep("chosen"))),
                objective(
                        "ASFT",
                        b -> Asft.asft(
                                b.policy("chosen"), tokenKl(b), b.mask("chosen"), 0.1, b.tokensInStep("chosen"))),
                objective(
                        "TOPR",
                        b -> Topr.topr(
                                b.policySums("chosen"), b.oldSums("chosen"), b.typedScalar("reward"), b.rowsInStep())),
                objective(
                        "TOPR, length-normalized",
                        b -> Topr.lengthNormalized(
                                b.policySums("chosen"),
                                b.oldSums("chosen"),
                                b.typedScalar("advantage"),
                                b.lengths("chosen"),
                                new Topr.Truncation(0.5, 2, 0, 1),
                                b.rowsInStep())),
                objective("OREAL", InvarianceTest::oreal));
    }

    private static Tensor likelihood(Batch b, String answer) {
        return CrossEntropy.crossEntropy(b.policy(answer), b.mask(answer), b.tokensInStep(answer))
                .value();
    }

    /// A sampled KL stands for that of the vocabulary.
    private static Tensor tokenKl(Batch b) {
        Tensor answer = b.mask("chosen");
        return SampledKl.k3(
                b.policy("chosen").whereElse(answer, 0), b.ref("chosen").whereElse(answer, 0));
    }

    /// The log-probabilities of another model stand for the scores of tokens.
    private static Loss oreal(Batch b) {
        Tensor mask = b.mask("chosen");
        Tensor correct = b.positive("reward");
        var answers = new Oreal.Answers(b.policy("chosen"), b.ref("chosen"), mask, correct, b.typedScalar("reward"));
        var weights = TokenRewardModel.aboveThreshold(b.old("chosen").plus(1.5), mask, 0.1, 0.1);
        long correctTokens = b.tokensInStep("chosen", row -> row.scalars().get("reward") > 0);
        var tokens = new Oreal.StepTokens(correctTokens, b.tokensInStep("chosen") - correctTokens);
        return Oreal.oreal(answers, weights, new Oreal.Strengths(1, 0.5, 0.1), SampledKl::k3, tokens);
    }

    private static Tensor columns(Tensor first, Tensor second) {
        return Tensor.stack(List.of(first, second), 1);
    }

    private static final List<Row> STEP = Row.step(20);

    /// Each row as a set of three: both answers and one without tokens.
    private static AnchoredLogits anchored(Batch b) {
        return anchored(b, b.refSums("chosen").onesLike().times(2));
    }

    private static AnchoredLogits anchored(Batch b, Tensor tau) {
        PreferenceLogProbs lp = b.pairs();
        Tensor none = lp.refChosen().zerosLike();
        return AnchoredLogits.of(
                Tensor.stack(List.of(lp.chosen(), lp.rejected(), none), 1),
                Tensor.stack(List.of(lp.refChosen(), lp.refRejected(), none), 1),
                tau);
    }

    private static Loss adaptive(Batch b) {
        Tensor targets = AdpoTargets.softmax(rewards(b), 0.5);
        Tensor tau = AdpoTemperature.fromTargetEntropy(targets, 2, 0.5, 0.1);
        return Adpo.listwise(anchored(b, tau.to(b.ref("chosen").dtype())), targets, b.rowsInStep());
    }

    private static Tensor rewards(Batch b) {
        return Tensor.stack(
                List.of(
                        b.scalar("reward"),
                        b.scalar("advantage"),
                        b.scalar("reward").zerosLike()),
                1);
    }

    /// Phrases are the tokens that the reference finds likely.
    private static Loss rrpo(Batch b) {
        Tensor w = b.mask("chosen").and(b.ref("chosen").gt(-1.5));
        Tensor l = b.mask("rejected").and(b.ref("rejected").gt(-1.5));
        var phrases = new PreferenceLogProbs(
                SequenceLogProbs.sum(b.policy("chosen"), w),
                SequenceLogProbs.sum(b.policy("rejected"), l),
                SequenceLogProbs.sum(b.ref("chosen"), w),
                SequenceLogProbs.sum(b.ref("rejected"), l));
        return Rrpo.rrpo(phrases, tokenKl(b).sum(1), 0.3, 0.05, b.rowsInStep());
    }

    record Objective(String name, Function<Batch, Loss> loss) {
        Outcome of(List<Row> part, Padding padding) {
            return Outcome.of(loss, part, STEP, padding);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static Objective objective(String name, Function<Batch, Loss> loss) {
        return new Objective(name, loss);
    }

    @ParameterizedTest
    @MethodSource({"objectives", "surrogates"})
    void unevenPartsAddUpToTheStep(Objective objective) {
        Outcome whole = objective.of(STEP, Padding.NONE);
        int[][] splits = {{1, 5}, {4, 2}, {1, 2, 3}, {2, 1, 1, 2}, {1, 1, 1, 1, 1, 1}};
        for (int[] sizes : splits) {
            Outcome sum = new Outcome(0, List.of());
            int from = 0;
            for (int size : sizes) {
                sum = sum.plus(objective.of(STEP.subList(from, from + size), Padding.NONE));
                from += size;
            }
            whole.assertSame(sum, "split into " + Arrays.toString(sizes));
        }
    }

    @ParameterizedTest
    @MethodSource({"objectives", "surrogates"})
    void paddingOnEitherSideChangesNothing(Objective objective) {
        Outcome tight = objective.of(STEP, Padding.NONE);
        for (int left = 0; left <= 4; left += 2) {
            for (int right = 0; right <= 9; right += 3) {
                tight.assertSame(
                        objective.of(STEP, new Padding(left, right, -0.7)), left + " left, " + right + " right");
            }
        }
    }

    @ParameterizedTest
    @MethodSource({"objectives", "surrogates"})
    void orderOfRowsDoesNotMatter(Objective objective) {
        Outcome inOrder = objective.of(STEP, Padding.NONE);
        var random = new Random(21);
        for (int trial = 0; trial < 5; trial++) {
            List<Integer> order = new ArrayList<>(List.of(0, 1, 2, 3, 4, 5));
            Collections.shuffle(order, random);
            Outcome shuffled = objective.of(order.stream().map(STEP::get).toList(), Padding.NONE);
            var expected = new Outcome(
                    inOrder.value(), order.stream().map(inOrder.rows()::get).toList());
            expected.assertSame(shuffled, "order " + order);
        }
    }

    @ParameterizedTest
    @MethodSource({"objectives", "surrogates"})
    void whatStandsWhereNothingCountsReachesNothing(Objective objective) {
        Outcome plain = objective.of(STEP, Padding.NONE);
        for (double filler : new double[] {Double.NaN, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, 1e300}) {
            plain.assertSame(objective.of(STEP, new Padding(1, 2, filler)), "filled with " + filler);
        }
    }

    /// Rewards, advantages and targets in float64 beside log-probabilities in float32 do not change the type.
    @ParameterizedTest
    @MethodSource({"objectives", "surrogates"})
    void valueAndMetricsHaveTheTypeOfTheLogProbabilities(Objective objective) {
        for (DType type : List.of(DType.FLOAT64, DType.FLOAT32)) {
            try (var _ = new Scope()) {
                Loss loss = objective.loss().apply(new Batch(STEP, STEP, Padding.NONE, type));
                assertEquals(type, loss.value().dtype());
                loss.metrics().forEach((name, metric) -> assertEquals(type, metric.dtype(), name));
            }
        }
    }

    /// The laws would hold for a constant as well.
    @ParameterizedTest
    @MethodSource({"objectives", "surrogates"})
    void everyRowThatCountsHasAGradient(Objective objective) {
        Outcome outcome = objective.of(STEP, Padding.NONE);
        long moved = outcome.rows().stream()
                .filter(row -> row.entrySet().stream()
                        .filter(e -> e.getKey().startsWith("gradient"))
                        .anyMatch(e -> Arrays.stream(e.getValue()).anyMatch(g -> g != 0)))
                .count();
        assertTrue(moved >= 4, objective + ": only " + moved + " rows have a gradient");
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void gradientsEqualCentralDifferences(Objective objective) {
        Outcome at = objective.of(STEP, Padding.NONE);
        double h = 1e-5;
        for (int row = 0; row < STEP.size(); row++) {
            for (String name : at.rows().get(row).keySet()) {
                if (name.startsWith("gradient of ")) {
                    String answer = name.substring("gradient of ".length());
                    double[] gradient = at.rows().get(row).get(name);
                    int last = gradient.length - 1;
                    double slope =
                            (valueWith(objective, row, answer, last, h) - valueWith(objective, row, answer, last, -h))
                                    / (2 * h);
                    assertEquals(slope, gradient[last], 1e-8 * Math.max(1, Math.abs(slope)), name + ", row " + row);
                }
            }
        }
    }

    private static double valueWith(Objective objective, int row, String answer, int token, double nudge) {
        List<Row> step = new ArrayList<>(STEP);
        step.set(row, STEP.get(row).nudged(answer, token, nudge));
        return objective.of(step, Padding.NONE).value();
    }
}

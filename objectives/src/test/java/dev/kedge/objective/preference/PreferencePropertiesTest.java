package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;

class PreferencePropertiesTest {
    private static final int TRIES = 100;

    /// A preference objective by its name, for one pair.
    record Named(String name, BiFunction<PreferenceLogProbs, Double, Loss> loss) {
        @Override
        public String toString() {
            return name;
        }
    }

    @Provide
    Arbitrary<BarrierDivergence> divergence() {
        Arbitrary<BarrierDivergence> alpha =
                Arbitraries.doubles().between(0.01, 0.99).map(AlphaDivergence::new);
        return Arbitraries.oneOf(Arbitraries.of(new ReverseKl(), new ForwardKl(), new JensenShannon()), alpha);
    }

    /// Log-ratios of answers gone astray: around where exp overflows, and far beyond.
    @Provide
    Arbitrary<Double> extreme() {
        return Arbitraries.oneOf(
                Arbitraries.doubles().between(-1000, 1000),
                Arbitraries.doubles().between(-1e6, 1e6),
                Arbitraries.of(0.0, -709.0, -710.0, 710.0, -1e6, 1e6));
    }

    @Provide
    Arbitrary<Named> objective() {
        return Arbitraries.of(
                new Named("dpo", (lp, beta) -> Dpo.dpo(lp, beta, 1)),
                new Named("conservative", (lp, beta) -> Dpo.conservative(lp, beta, 0.1, 1)),
                new Named("robust", (lp, beta) -> Dpo.robust(lp, beta, 0.1, 1)),
                new Named("ipo", (lp, beta) -> Ipo.ipo(lp, beta, 1)),
                new Named("hinge", (lp, beta) -> Slic.hinge(lp, beta, 1)),
                new Named("adpo, listwise", (lp, beta) -> Adpo.listwise(set(lp, beta), targets(0.7, 0.3), 1)),
                new Named("adpo, one-hot", (lp, beta) -> Adpo.listwise(set(lp, beta), targets(1, 0), 1)),
                new Named(
                        "adpo, pairwise",
                        (lp, beta) ->
                                Adpo.pairwise(set(lp, beta), AdpoTargets.softPreferences(targets(0.7, 0.3), 1), 1)),
                new Named("adpo, Plackett-Luce", (lp, beta) -> Adpo.plackettLuce(set(lp, beta), targets(0, 1), 1)),
                new Named("rrpo", (lp, beta) -> Rrpo.rrpo(lp, Tensor.of(0.5), beta, 0.01, 1)));
    }

    private static AnchoredLogits set(PreferenceLogProbs lp, double beta) {
        return AnchoredLogits.of(
                Tensor.stack(List.of(lp.chosen(), lp.rejected()), 1),
                Tensor.stack(List.of(lp.refChosen(), lp.refRejected()), 1),
                1 / beta);
    }

    private static Tensor targets(double chosen, double rejected) {
        return Tensor.of(new double[][] {{chosen, rejected}});
    }

    /// Both models' log-probabilities of an answer shifted alike: the log-ratios stay.
    @Property(tries = TRIES, edgeCases = EdgeCasesMode.NONE)
    void aConstantAddedToBothModelsChangesNothing(
            @ForAll("divergence") BarrierDivergence divergence,
            @ForAll @DoubleRange(min = -5, max = 5) double chosen,
            @ForAll @DoubleRange(min = -5, max = 5) double rejected,
            @ForAll @DoubleRange(min = -50, max = 50) double constant) {
        try (var _ = new Scope()) {
            Loss at = FDpo.fDpo(Pairs.ofLogRatios(chosen, rejected), divergence, 0.3, 1);
            var shifted = new PreferenceLogProbs(
                    Tensor.of(chosen - 1 + constant),
                    Tensor.of(rejected - 1 - constant),
                    Tensor.of(-1 + constant),
                    Tensor.of(-1 - constant));
            double loss = at.value().item();
            assertEquals(loss, FDpo.fDpo(shifted, divergence, 0.3, 1).value().item(), 1e-11 * Math.max(1, loss));
        }
    }

    /// Only the difference of the two log-ratios counts where the divergence is the reverse KL.
    @Property(tries = TRIES, edgeCases = EdgeCasesMode.NONE)
    void aConstantAddedToThePolicyOnBothAnswersChangesNothing(
            @ForAll("objective") Named objective,
            @ForAll @DoubleRange(min = -5, max = 5) double chosen,
            @ForAll @DoubleRange(min = -5, max = 5) double rejected,
            @ForAll @DoubleRange(min = -50, max = 50) double constant) {
        try (var _ = new Scope()) {
            double at = objective
                    .loss()
                    .apply(Pairs.ofLogRatios(chosen, rejected), 0.3)
                    .value()
                    .item();
            var shifted = Pairs.ofLogRatios(chosen + constant, rejected + constant);
            assertEquals(at, objective.loss().apply(shifted, 0.3).value().item(), 1e-12 * Math.max(1, Math.abs(at)));
        }
    }

    @Property(tries = TRIES, edgeCases = EdgeCasesMode.NONE)
    void extremeLogRatiosStayFinite(
            @ForAll("objective") Named objective,
            @ForAll("extreme") double chosen,
            @ForAll("extreme") double rejected,
            @ForAll @DoubleRange(min = -4, max = 1) double logBeta) {
        double beta = Math.pow(10, logBeta);
        try (var _ = new Scope()) {
            assertTrue(
                    everythingIsFinite(chosen, rejected, lp -> objective.loss().apply(lp, beta)));
        }
    }

    @Property(tries = TRIES, edgeCases = EdgeCasesMode.NONE)
    void extremeLogRatiosStayFiniteWhenClamped(
            @ForAll("divergence") BarrierDivergence divergence,
            @ForAll("extreme") double chosen,
            @ForAll("extreme") double rejected) {
        try (var _ = new Scope()) {
            assertTrue(everythingIsFinite(chosen, rejected, lp -> FDpo.clamped(lp, divergence, 0.3, 80, 1)));
        }
    }

    /// Exact arithmetic may overflow, but never out of sight: a gradient that is not finite comes with a reward
    /// that is not.
    @Property(tries = TRIES, edgeCases = EdgeCasesMode.NONE)
    void anOverflowOfTheExactFormShowsInTheRewards(
            @ForAll("divergence") BarrierDivergence divergence,
            @ForAll("extreme") double chosen,
            @ForAll("extreme") double rejected) {
        try (var _ = new Scope()) {
            Loss loss = FDpo.fDpo(Pairs.ofLogRatios(chosen, rejected), divergence, 0.3, 1);
            boolean rewardsAreFinite = loss.metric("reward/chosen").isFinite().allTrue()
                    && loss.metric("reward/rejected").isFinite().allTrue();
            assertEquals(
                    rewardsAreFinite, everythingIsFinite(chosen, rejected, lp -> FDpo.fDpo(lp, divergence, 0.3, 1)));
        }
    }

    private static boolean everythingIsFinite(
            double chosen, double rejected, Function<PreferenceLogProbs, Loss> objective) {
        Tensor w = Tensor.of(chosen).requiresGrad();
        Tensor l = Tensor.of(rejected).requiresGrad();
        Loss loss = objective.apply(new PreferenceLogProbs(w, l, Tensor.of(0.0), Tensor.of(0.0)));
        loss.value().backward();
        return loss.value().isFinite().allTrue()
                && w.grad().isFinite().allTrue()
                && l.grad().isFinite().allTrue()
                && loss.metrics().values().stream().allMatch(m -> m.isFinite().allTrue());
    }
}

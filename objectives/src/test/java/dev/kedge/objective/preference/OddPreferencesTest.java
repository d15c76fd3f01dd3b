package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.game.Egpo;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.game.NashMdPg;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What every preference objective makes of pairs that prefer nothing, and of strengths and references that are none.
@ExtendWith(InScope.class)
class OddPreferencesTest {
    private static final double ALPHA = 0.2;

    /// An objective on pairs.
    ///
    /// @param strength what it calls its regulariser's strength
    /// @param tie      its loss, less any bonus or penalty, where both answers are the same, at strength 0.5
    record Objective(String name, String strength, double tie, Form form) {
        interface Form {
            Loss of(PreferenceLogProbs lp, double strength);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Objective> objectives() {
        double log2 = Math.log(2);
        List<Objective> all = new ArrayList<>(List.of(
                new Objective("dpo", "beta", log2, (lp, beta) -> Dpo.dpo(lp, beta, 1)),
                new Objective("conservative", "beta", log2, (lp, beta) -> Dpo.conservative(lp, beta, 0.1, 1)),
                new Objective("robust", "beta", log2, (lp, beta) -> Dpo.robust(lp, beta, 0.1, 1)),
                new Objective(
                        "length-normalised",
                        "beta",
                        log2,
                        (lp, beta) -> Dpo.lengthNormalized(lp, Tensor.of(1.0), Tensor.of(1.0), beta, 1)),
                new Objective("ipo", "tau", 1, (lp, tau) -> Ipo.ipo(lp, tau, 1)),
                new Objective("slic", "beta", 1, (lp, beta) -> Slic.hinge(lp, beta, 1)),
                new Objective("rrpo", "beta", log2, (lp, beta) -> Rrpo.rrpo(lp, Tensor.of(0.0), beta, ALPHA, 1)),
                new Objective("hypo", "beta", log2, (lp, beta) -> Hypo.hypo(lp, online(), beta, 0.1, 1, 2)),
                new Objective("xpo", "beta", log2, (lp, beta) -> Xpo.xpo(lp, policyIsChosen(), 0, beta, 1)),
                new Objective("xpo on ipo", "beta", 1, (lp, beta) -> Xpo.ipo(lp, policyIsChosen(), 0, beta, 1)),
                new Objective(
                        "inpo", "eta", 1, (lp, eta) -> Inpo.inpo(lp, lp.refChosen(), lp.refRejected(), eta, 0, 1))));
        for (BarrierDivergence d :
                List.of(new ReverseKl(), new ForwardKl(), new JensenShannon(), new AlphaDivergence(0.3))) {
            all.add(new Objective("f-dpo, " + d, "beta", log2, (lp, beta) -> FDpo.fDpo(lp, d, beta, 1)));
            all.add(new Objective("clamped, " + d, "beta", log2, (lp, beta) -> FDpo.clamped(lp, d, beta, 80, 1)));
        }
        return all.stream();
    }

    private static OnlineLogProbs online() {
        Tensor answers = Tensor.of(new double[][] {{-1, -2}});
        return new OnlineLogProbs(answers, answers);
    }

    private static Tensor policyIsChosen() {
        return Tensor.mask(new boolean[] {true}, 1);
    }

    /// Both answers have the same log-probabilities, so that what pulls one up pushes the other down.
    @ParameterizedTest
    @MethodSource("objectives")
    void identicalAnswersTeachNothing(Objective objective) {
        Tensor answer = Tensor.of(-3.0).requiresGrad();
        Tensor ref = Tensor.of(-2.0);
        Loss loss = objective.form().of(new PreferenceLogProbs(answer, answer, ref, ref), 0.5);
        loss.value().backward();
        assertEquals(objective.tie(), loss.value().item(), 1e-15);
        assertEquals(0, answer.grad().item(), 1e-15);
        assertEquals(0.5, loss.metric("reward/accuracy").item(), "a tie counts half");
    }

    @Test
    void ofIdenticalAnswersXpoKeepsItsBonusAndRrpoItsKl() {
        Tensor answer = Tensor.of(-3.0).requiresGrad();
        Tensor ref = Tensor.of(-2.0);
        Tensor kl = Tensor.of(0.7).requiresGrad();
        var lp = new PreferenceLogProbs(answer, answer, ref, ref);
        Loss xpo = Xpo.xpo(lp, policyIsChosen(), ALPHA, 0.5, 1);
        xpo.value().backward();
        assertEquals(Math.log(2) + ALPHA * -3, xpo.value().item(), 1e-15);
        assertEquals(ALPHA, answer.grad().item(), 1e-15);
        Loss rrpo = Rrpo.rrpo(lp, kl, 0.5, ALPHA, 1);
        rrpo.value().backward();
        assertEquals(Math.log(2) + ALPHA * 0.7, rrpo.value().item(), 1e-15);
        assertEquals(ALPHA, kl.grad().item(), 1e-15);
    }

    /// An answer without tokens has log-probability 0 under every model.
    @ParameterizedTest
    @MethodSource("objectives")
    void anEmptyAnswerIsOneThatNobodyCanMove(Objective objective) {
        Tensor answer = Tensor.of(-3.0).requiresGrad();
        Tensor empty = Tensor.of(0.0);
        Loss loss = objective.form().of(new PreferenceLogProbs(answer, empty, Tensor.of(-3.0), empty), 0.5);
        loss.value().backward();
        assertTrue(loss.value().isFinite().allTrue());
        assertTrue(answer.grad().item() < 0, "the other one still rises");
        assertEquals(
                0,
                loss.metric("reward/rejected")
                        .minus(scoreAtTheReference(objective))
                        .item(),
                1e-15);
    }

    /// The reward of an answer on which policy and reference agree: 0, but for the constant of a divergence.
    private static Tensor scoreAtTheReference(Objective objective) {
        Tensor same = Tensor.of(-1.0);
        return objective
                .form()
                .of(new PreferenceLogProbs(same, same, same, same), 0.5)
                .metric("reward/rejected");
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void aStrengthOfZeroOrBelowIsRefused(Objective objective) {
        for (double wrong : new double[] {0, -0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            var e = assertThrows(
                    IllegalArgumentException.class, () -> objective.form().of(Pairs.range(0, 1), wrong));
            assertEquals(objective.strength() + " must be finite and > 0, was " + wrong, e.getMessage());
        }
    }

    @Test
    void aMissingReferenceIsNamed() {
        Tensor pair = Tensor.of(-1, -2);
        Tensor matrix = Tensor.of(new double[][] {{-1, -2}});
        missing("refChosen must have the shape of chosen, [2]", () -> new PreferenceLogProbs(pair, pair, null, pair));
        missing("refRejected must have the shape of chosen, [2]", () -> new PreferenceLogProbs(pair, pair, pair, null));
        missing("ref must have the shape of policy, [1, 2]", () -> new OnlineLogProbs(matrix, null));
        missing("anchor must have the shape of policy, [1, 2]", () -> AnchoredLogits.of(matrix, null, 1));
        missing("previousChosen must have the shape of chosen, [3]", () -> Inpo.inpo(Pairs.all(), null, pair, 1, 0, 3));
        missing(
                "refLogProbs must have the shape of logProbs, [1, 2]",
                () -> Egpo.sequences(matrix, null, matrix, 1, 1));
        missing(
                "refLogProbs must have the shape of logProbs, [2]",
                () -> NashMdPg.sequences(pair, pair, null, pair, 1, 2));
        missing("chosen must be [B]", () -> new PreferenceLogProbs(null, pair, pair, pair));
    }

    private static void missing(String what, Runnable call) {
        var e = assertThrows(IllegalArgumentException.class, call::run);
        assertEquals(what + ", was missing", e.getMessage());
    }
}

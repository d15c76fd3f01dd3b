package dev.kedge.lab.compare;

import dev.kedge.lab.compare.ComparisonTask.Arena;
import dev.kedge.lab.compare.PairSampler.LabelledPairs;
import dev.kedge.lab.tabular.TabularTraining.Objective;
import dev.kedge.lab.tabular.TabularTraining.OpponentObjective;
import dev.kedge.lab.tabular.TabularTraining.PairLoss;
import dev.kedge.objective.game.Egpo;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.game.NashMd;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.Ipo;
import dev.kedge.objective.preference.Xpo;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/// What methods minimise that learn from outcomes which the policy draws as it learns. Of each label the judge makes
/// one draw, and it serves the gradient or the iteration for which it was drawn.
final class OnlineLosses {
    private OnlineLosses() {}

    /// Online DPO: pairs of the policy.
    ///
    /// @param labels to be drawn for a gradient
    static Objective dpo(Arena arena, double beta, int labels, long seed) {
        return ownPairs(arena, labels, seed, (lp, pairs) -> Dpo.dpo(lp, beta, pairs));
    }

    /// Online IPO 2 (arXiv:2403.08635): pairs of the policy.
    static Objective ipo(Arena arena, double beta, int labels, long seed) {
        return ownPairs(arena, labels, seed, (lp, pairs) -> Ipo.ipo(lp, beta, pairs));
    }

    private static Objective ownPairs(Arena arena, int labels, long seed, PairLoss loss) {
        var sampler = new PairSampler(arena.judges(), seed);
        return (logProbs, _) -> {
            double[] policy = values(logProbs);
            var pairs = sampler.pairs(policy, policy, labels);
            return loss.of(pairs.logProbs(logProbs, Tensor.of(arena.logRef())), labels)
                    .value();
        };
    }

    /// XPO: an outcome of the policy against one of the reference.
    static Objective xpo(Arena arena, double alpha, double beta, int labels, long seed) {
        var sampler = new PairSampler(arena.judges(), seed);
        return (logProbs, _) -> {
            Tensor ref = Tensor.of(arena.logRef());
            var pairs = sampler.pairs(values(logProbs), values(ref), labels);
            return Xpo.xpo(pairs.logProbs(logProbs, ref), pairs.firstIsChosen(), alpha, beta, labels)
                    .value();
        };
    }

    /// INPO: an iteration goes over the same pairs of the policy with which it began.
    ///
    /// @param steps  of an iteration
    /// @param labels to be drawn for an iteration
    static Objective inpo(Arena arena, double eta, double tau, int steps, int labels, long seed) {
        var sampler = new PairSampler(arena.judges(), seed);
        var before = new AtomicReference<Iteration>();
        return (logProbs, step) -> {
            if (step % steps == 0) {
                double[] policy = values(logProbs);
                before.set(new Iteration(policy, sampler.pairs(policy, policy, labels)));
            }
            var pairs = before.get().pairs;
            Tensor ref = Tensor.of(arena.logRef());
            var previous = pairs.logProbs(Tensor.of(before.get().policy), ref);
            var now = pairs.logProbs(logProbs, ref);
            return Inpo.inpo(now, previous.chosen(), previous.rejected(), eta, tau, labels)
                    .value();
        };
    }

    /// The policy with which an iteration began, [X·n], and what it drew.
    private record Iteration(double[] policy, LabelledPairs pairs) {}

    /// EGPO: uniform pairs, each outcome of which is judged against one of the opponent.
    ///
    /// @param labels to be drawn for a gradient, two a pair
    static OpponentObjective egpo(Arena arena, double beta, int labels, long seed) {
        var sampler = new PairSampler(arena.judges(), seed);
        int pairs = labels / 2;
        return (logProbs, opponent, _) -> {
            long[] first = sampler.uniform(pairs);
            long[] second = sampler.uniform(pairs);
            long[] third = sampler.outcomes(values(opponent), pairs);
            Tensor ref = Tensor.of(arena.logRef());
            return Egpo.sequences(
                            columns(PairSampler.at(logProbs, first), PairSampler.at(logProbs, second)),
                            columns(PairSampler.at(ref, first), PairSampler.at(ref, second)),
                            columns(
                                    numbers(sampler.firstWins(first, third)),
                                    numbers(sampler.firstWins(second, third))),
                            beta,
                            pairs)
                    .value();
        };
    }

    /// Nash-MD: EGPO's loss against the policy's mixture with the reference.
    ///
    /// @param refShare exponent of the reference in the mixture
    static Objective nashMd(Arena arena, double beta, double refShare, int labels, long seed) {
        var loss = egpo(arena, beta, labels, seed);
        return (logProbs, step) ->
                loss.loss(logProbs, NashMd.mixture(logProbs, Tensor.of(arena.logRef()), refShare), step);
    }

    private static Tensor columns(Tensor first, Tensor second) {
        return Tensor.stack(List.of(first, second), 1);
    }

    private static Tensor numbers(boolean[] labels) {
        return Tensor.of(IntStream.range(0, labels.length)
                .mapToDouble(i -> labels[i] ? 1 : 0)
                .toArray());
    }

    private static double[] values(Tensor logProbs) {
        return logProbs.detach().reshape(-1).toDoubles();
    }
}

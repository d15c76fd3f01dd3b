package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Group-relative Trajectory-based Policy Optimization (arXiv:2508.03772): tokens that good and bad completions share
/// at their ends, such as those of a format, are not punished, and completions of high entropy not learnt from.
///
/// The advantages are [GroupRelative#centred], less a penalty on entropy; there is no clipping, no KL and no reference.
/// Rewards are not scaled, so the penalty is in their unit.
public final class Gtpo {
    private static final double FLOOR = 1e-6;

    private Gtpo() {}

    /// `-(1/L) Σ_t Σ_v π(v) log max(π(v), 1e-6)`, nats, `[B]`, without gradient; 0 of no tokens.
    ///
    /// @param logits unnormalised, `logits[b][t]` the distribution that token t was drawn from, `[B, T, V]`
    /// @param mask   boolean `[B, T]`, true at the tokens of the completion
    /// @throws IllegalArgumentException if shapes or types do not fit
    public static Tensor meanEntropies(Tensor logits, Tensor mask) {
        Tensor p = Entropy.logProbs(logits.detach(), mask).exp();
        Tensor entropies = p.times(Elementwise.clampMin(p, FLOOR).log()).sum(2).neg();
        return entropies.whereElse(mask, 0).sum(1).div(Elementwise.clampMin(mask.sum(1), 1));
    }

    /// The mean entropy above which completions are filtered: ln 2, that of a choice of two, unless the policy was
    /// above it before training; then nothing is. The authors' code has 0.7 throughout.
    ///
    /// @param initialEntropy mean entropy before training, nats
    public static double threshold(double initialEntropy) {
        return initialEntropy <= Math.log(2) ? Math.log(2) : Double.POSITIVE_INFINITY;
    }

    /// `A - gamma·H` where `H <= threshold`, 0 where it is above: `[B]`. It can differ from A in sign.
    ///
    /// @param advantages `[B]`
    /// @param entropies  mean entropies H, nats, `[B]`
    /// @param gamma      in the unit of the rewards per nat, finite and >= 0; the authors' is 0.1 for rewards
    ///                   up to 20
    /// @param threshold  nats, > 0; `Infinity` filters none
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Tensor shaped(Tensor advantages, Tensor entropies, double gamma, double threshold) {
        Require.dims("advantages", advantages, 1, "[B]");
        Require.sameShape("entropies", entropies, "advantages", advantages);
        Require.from("gamma", gamma, 0, Double.POSITIVE_INFINITY);
        if (!(threshold > 0)) {
            throw new IllegalArgumentException("threshold must be > 0, was " + threshold);
        }
        Tensor h = entropies.detach();
        return advantages.detach().minus(h.times(gamma)).whereElse(h.le(threshold), 0);
    }

    /// What tokens weigh for being shared by completions of opposite advantages.
    ///
    /// @param weights λ, `[B, T]`, 0 where masked
    /// @param counts  the length of the longer of both runs, at least 1, `[B]`; 0 where the advantage is 0
    public record Conflicts(Tensor weights, Tensor counts) {
        /// @throws IllegalArgumentException if shapes do not fit
        public Conflicts {
            Require.dims("weights", weights, 2, "[B, T]");
            Require.sameShape("counts", counts, "completions", weights.select(1, 0));
        }
    }

    /// Finds the tokens in conflict: those that some completion of the opposite sign has at the same index, as long
    /// as all before them are, counted from the first token; and likewise counted back from the last one.
    ///
    /// `λ = f·b`, where f is `positiveWeight` for a good completion and 0 for a bad one in the run from the front,
    /// 1 elsewhere, and b the same in the run from the back. A completion of advantage 0 takes no part.
    ///
    /// @param tokens         token ids, int64, row `p·G + g` being completion g to prompt p, `[P·G, T]`; anything
    ///                       where masked
    /// @param mask           boolean `[P·G, T]`
    /// @param advantages     before [#shaped], `[P, G]`; only signs count
    /// @param positiveWeight dimensionless, finite and > 0, customarily 2
    /// @throws IllegalArgumentException if shapes do not fit or positiveWeight is out of range
    public static Conflicts conflicts(Tensor tokens, Tensor mask, Tensor advantages, double positiveWeight) {
        Require.dims("tokens", tokens, 2, "[B, T]");
        Require.mask("mask", mask, "tokens", tokens);
        Require.dims("advantages", advantages, 2, "[P, G]");
        Require.positive("positiveWeight", positiveWeight);
        Tensor perRow = advantages.reshape(-1);
        Require.sameShape("advantages of completions", perRow, "completions", tokens.select(1, 0));
        Tensor opposite = Elementwise.sign(advantages.unsqueeze(2))
                .times(advantages.unsqueeze(1))
                .lt(0);
        Tensor fromFirst = Creation.arange(0, tokens.size(1), tokens.device());
        Tensor front = run(tokens, mask, opposite, fromFirst);
        Tensor back = run(tokens, mask, opposite, fromFirst.neg());
        Tensor bad = perRow.lt(0).unsqueeze(1);
        Tensor factor =
                advantages.onesLike().times(positiveWeight).reshape(-1, 1).whereElse(bad.not(), 0);
        Tensor one = factor.onesLike();
        Tensor weights = factor.whereElse(front, one).times(factor.whereElse(back, one));
        Tensor longest = Elementwise.clampMin(Elementwise.maximum(front.sum(1), back.sum(1)), 1)
                .to(advantages.dtype());
        return new Conflicts(weights.whereElse(mask, 0), longest.whereElse(perRow.ne(0), 0));
    }

    /// Where the run of shared tokens is, boolean `[B, T]`, for tokens taken in the order of `order`, `[T]`.
    private static Tensor run(Tensor tokens, Tensor mask, Tensor opposite, Tensor order) {
        long groups = opposite.size(0);
        long size = opposite.size(1);
        long width = tokens.size(1);
        // Those that count first, whatever stands before and between them: index is a permutation of each row.
        Tensor index = Ordering.sort(order.whereElse(mask, order.plus(2 * width)), 1, false)[1];
        Tensor counts = mask.gather(1, index);
        Tensor there = counts.reshape(groups, size, width);
        Tensor token = tokens.gather(1, index).reshape(groups, size, width);
        Tensor same = token.unsqueeze(2)
                .eq(token.unsqueeze(1))
                .and(there.unsqueeze(1))
                .and(opposite.unsqueeze(3));
        Tensor alone = same.sum(2).eq(0).reshape(groups * size, width);
        Tensor run = alone.cumsum(1).eq(0).and(counts);
        return Indexing.scatter(run, 1, index, run);
    }

    /// `-(1/completionsInStep) Σ_i Â_i/(L_i·max(1, n_i)) Σ_t λ_it·ρ_it`, n the counts, ρ the ratio of tokens,
    /// unclipped. This is the authors' code, which takes one step per draw, so that ρ is 1, and the sum over the G
    /// completions to a prompt, so that its gradient is G times this.
    ///
    /// @param rollout           `[B, T]`
    /// @param shaped            Â of [#shaped], `[B]`
    /// @param conflicts         of the same completions
    /// @param completionsInStep completions of the whole optimizer step, at least B
    /// @return the loss; metrics as in [Surrogate#loss], with Â times the weights as advantages, and `[B]`
    ///         `filtered`, 1 where Â is 0, and `conflict/share`, of tokens whose weight is not 1
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss gtpo(Rollout rollout, Tensor shaped, Conflicts conflicts, long completionsInStep) {
        Require.sameShape("shaped", shaped, "counts", conflicts.counts);
        return uncounted(rollout, shaped.div(Elementwise.clampMin(conflicts.counts, 1)), conflicts, completionsInStep);
    }

    /// The paper's objective: [#gtpo] without the division by the counts.
    public static Loss uncounted(Rollout rollout, Tensor shaped, Conflicts conflicts, long completionsInStep) {
        Require.dims("shaped", shaped, 1, "[B]");
        Require.sameShape("weights", conflicts.weights, "logProbs", rollout.logProbs());
        Tensor perToken = conflicts.weights.times(shaped.unsqueeze(1));
        var surrogate = Surrogate.unclipped(rollout, LogRatios.tokens(rollout), perToken);
        Tensor value = Aggregation.perSequence(surrogate.losses(), rollout.mask(), completionsInStep);
        return surrogate
                .loss(value)
                .with("filtered", shaped.eq(0).to(value.dtype()))
                .with("conflict/share", rollout.means(conflicts.weights.ne(1)));
    }
}

package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Anchored Direct Preference Optimization (Wang 2025, arXiv:2510.18913): a policy, measured against its anchor, is
/// fitted to a target over a set of candidates.
///
/// The target comes from [AdpoTargets], a teacher or the data; the anchor is the caller's and may follow the policy
/// by an [AnchorRule]. `setsInStep` counts the candidate sets of the whole optimizer step, over all micro-batches
/// and ranks, at least S; a set is never split. Metrics have one entry per set, `[S]`.
///
/// These are the losses of the paper's v6 in exact arithmetic. Later code of the author clamps log-ratios and u,
/// divides log-probabilities by lengths and smooths targets; none of that is here.
public final class Adpo {
    private Adpo() {}

    /// `-(1/setsInStep) Σ_s Σ_i q_i log p_i`, `p = softmax(u)` over the set; its gradient in `log π(y_i|x)` is
    /// `(p_i - q_i)/(tau·setsInStep)`.
    ///
    /// Two candidates and `q = (1, 0)` are [Dpo] with `beta = 1/tau`; no anchor and a teacher's q, distillation; no
    /// anchor, `tau = 1` and a one-hot q, maximum likelihood within the set.
    ///
    /// @param u       anchored logits `[S, P]`; gradient flows
    /// @param targets q, probabilities over each set, `[S, P]`, a constant whatever graph they carry. Not checked,
    ///                since that would wait for the device: [AdpoTargets#requireDistributions] does, where they are
    ///                read. A row that sums to w is taken as it is, with the gradient `(w·p - q)/tau`. Where q is
    ///                0, p may be 0
    /// @return the loss; metrics `loss`; `kl/target`, KL(q‖p) in nats, which is the loss less the entropy of q;
    ///         `probability/best`, p of the candidate with the largest q, the first of equal ones; `logit/spread`,
    ///         the largest u less the smallest: beyond some 30, as with long answers, p is one-hot
    /// @throws IllegalArgumentException if shapes do not fit or setsInStep is less than S
    public static Loss listwise(AnchoredLogits u, Tensor targets, long setsInStep) {
        Require.sameShape("targets", targets, "u", u.values());
        Tensor q = targets.detach().to(u.values().dtype());
        Tensor logP = u.values().logSoftmax(1);
        // Where q is 0 so is the term, whatever log p is: 0 · -∞ is NaN.
        Tensor losses = q.times(logP).whereElse(q.ne(0), 0).sum(1).neg();
        return mean(losses, u, setsInStep)
                .with("kl/target", new ReverseKl().categorical(q.log(), logP))
                .with("probability/best", probability(logP, Ordering.argmax(q, 1)))
                .with("logit/spread", spread(u));
    }

    /// `-(1/setsInStep) Σ_s 2/(P(P-1)) Σ_{i≠j} q_ij log σ(u_i - u_j)`: the mean, over the pairs of a set, of the
    /// cross-entropy of "i is preferred to j".
    ///
    /// With two candidates it is [#listwise] with `q = (q_12, q_21)`.
    ///
    /// @param u           anchored logits `[S, P]`; gradient flows
    /// @param preferences `q_ij`, the probability that i is preferred to j, `[S, P, P]`, `q_ij + q_ji = 1` (not
    ///                    checked), a constant whatever graph it carries; the diagonal does not count. From
    ///                    [AdpoTargets#hardPreferences] or [AdpoTargets#softPreferences]
    /// @return the loss; metrics `loss`; `accuracy`, the mean over pairs of the probability that u orders them as
    ///         preferred, where equal u order nothing; `logit/spread`
    /// @throws IllegalArgumentException if shapes do not fit or setsInStep is less than S
    public static Loss pairwise(AnchoredLogits u, Tensor preferences, long setsInStep) {
        Tensor differences = u.values().unsqueeze(2).minus(u.values().unsqueeze(1));
        Require.sameShape("preferences", preferences, "pairs of u", differences);
        Tensor q = preferences.detach().to(u.values().dtype());
        Tensor rank = Creation.arange(0, u.candidates(), u.values().device());
        Tensor sameCandidate = rank.unsqueeze(1).eq(rank);
        Tensor weights = q.whereElse(sameCandidate.not(), 0).times(2.0 / (u.candidates() * (u.candidates() - 1)));
        Tensor losses =
                weights.times(Functional.logSigmoid(differences)).sum(2).sum(1).neg();
        Tensor ordered = weights.times(differences
                .gt(0)
                .to(q.dtype())
                .plus(differences.ge(0).to(q.dtype()))
                .div(2)); // ties half
        return mean(losses, u, setsInStep)
                .with("accuracy", ordered.sum(2).sum(1))
                .with("logit/spread", spread(u));
    }

    /// `(1/setsInStep) Σ_s 1/(P-1) Σ_{k<P} [log Σ_{j≥k} exp(u_σ(j)) - u_σ(k)]`, σ from the best candidate to the
    /// worst: the likelihood of the whole ranking under Plackett and Luce, per choice (the paper's late versions).
    ///
    /// @param u      anchored logits `[S, P]`; gradient flows
    /// @param scores rewards or advantages `[S, P]`, of which only the order counts; of equal ones the first ranks
    ///               higher
    /// @return the loss; metrics `loss`, `probability/best`, `logit/spread` as in [#listwise]
    /// @throws IllegalArgumentException if shapes do not fit or setsInStep is less than S
    public static Loss plackettLuce(AnchoredLogits u, Tensor scores, long setsInStep) {
        Require.sameShape("scores", scores, "u", u.values());
        Tensor order = Ordering.sort(scores, 1, true)[1];
        Tensor ranked = u.values().gather(1, order);
        Tensor rank = Creation.arange(0, u.candidates(), ranked.device());
        Tensor remains = rank.unsqueeze(1).le(rank); // [k, j]: whether j is still there when k is chosen
        Tensor normalizers =
                ranked.unsqueeze(1).whereElse(remains, Double.NEGATIVE_INFINITY).logSumExp(2);
        long choices = u.candidates() - 1;
        Tensor losses = normalizers.minus(ranked).narrow(1, 0, choices).mean(1);
        return mean(losses, u, setsInStep)
                .with("probability/best", probability(u.values().logSoftmax(1), order.select(1, 0)))
                .with("logit/spread", spread(u));
    }

    /// `(strength/tokensInStep) Σ [exp(a_t - l_t) - (a_t - l_t) - 1]` over the tokens where `mask` is true: an
    /// explicit penalty on leaving the anchor, beside the one within u.
    ///
    /// The estimator is [SampledKl#k3]: on tokens that the policy sampled its value is KL(π‖anchor) in expectation,
    /// but its gradient that of KL(anchor‖π). Overflows where the anchor is e^709 times the policy (float64).
    ///
    /// @param logProbs       `l_t = log π(y_t|x, y_<t)`, nats, `[B, T]`; gradient flows
    /// @param anchorLogProbs `a_t`, likewise under the anchor, a constant whatever graph it carries
    /// @param mask           boolean `[B, T]`, true at the tokens of the answers
    /// @param strength       dimensionless, finite and >= 0
    /// @param tokensInStep   tokens of the answers in the whole optimizer step, >= 1; that the mask holds no more
    ///                       is not checked, since counting would wait for the device
    /// @return the loss; metrics `kl/anchor` (nats, summed) and `tokens` (count), one entry per row, `[B]`
    /// @throws IllegalArgumentException if shapes or types do not fit or a number is out of range
    public static Loss anchorPenalty(
            Tensor logProbs, Tensor anchorLogProbs, Tensor mask, double strength, long tokensInStep) {
        Require.dims("logProbs", logProbs, 2, "[B, T]");
        Require.sameShape("anchorLogProbs", anchorLogProbs, "logProbs", logProbs);
        Require.mask("mask", mask, "logProbs", logProbs);
        Require.from("strength", strength, 0, Double.POSITIVE_INFINITY);
        Require.denominator("tokensInStep", tokensInStep, 1);
        Tensor kl = SampledKl.k3(
                        logProbs.whereElse(mask, 0), anchorLogProbs.detach().whereElse(mask, 0))
                .sum(1);
        return Loss.of(kl.sum().times(strength / tokensInStep))
                .with("kl/anchor", kl)
                .with("tokens", mask.to(logProbs.dtype()).sum(1));
    }

    private static Loss mean(Tensor losses, AnchoredLogits u, long setsInStep) {
        Require.denominator("setsInStep", setsInStep, u.sets());
        return Loss.of(losses.sum().div(setsInStep)).with("loss", losses);
    }

    private static Tensor probability(Tensor logP, Tensor candidate) {
        return logP.gather(1, candidate.unsqueeze(1)).squeeze(1).exp();
    }

    private static Tensor spread(AnchoredLogits u) {
        return u.values().amax(1, false).minus(u.values().amin(1, false));
    }
}

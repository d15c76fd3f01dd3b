package dev.kedge.reproduction.subnetworks;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Descent;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.recipe.sparsity.SubnetworkConfig.Algorithm;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What SFT, GRPO and DPO change in a network of layers 16-64-64-16 that knows the best of 16 actions for another
/// reward, and training of what GRPO changed alone (arXiv:2505.11711). The reward of an action is 1 if it has the
/// largest of `W x`, else 0; before, it was the largest of another `W`.
final class SubnetworkBandit implements AutoCloseable {
    private static final int SIZE = 16;
    private static final int HIDDEN = 64;
    private static final int CONTEXTS = 128;
    private static final int GROUP = 8;
    private static final int FRESH = 8192;
    private static final double KL_BETA = 0.05;
    private static final double DPO_BETA = 0.1;
    private static final double SHIFT = 0.3;

    private final long seed;
    private final Tensor weights;
    private final Tensor fresh;
    private final Parameters start;

    SubnetworkBandit(long seed, int pretraining) {
        this.seed = seed;
        try (Rng rng = Rng.seeded(Streams.of(seed, "bandit"));
                Scope _ = new Scope()) {
            Tensor old = rng.normal(SIZE, SIZE);
            weights = old.plus(rng.normal(SIZE, SIZE).times(SHIFT)).unscoped();
            fresh = rng.normal(FRESH, SIZE).unscoped();
            start = random(rng);
            pretrain(old, pretraining, rng);
            try (var _ = Gradients.off()) {
                InPlace.copy_(start.flat(), start.flat().to(DType.BFLOAT16)); // and back
            }
        }
    }

    private static Parameters random(Rng rng) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        int[] sizes = {SIZE, HIDDEN, HIDDEN, SIZE};
        for (int n = 0; n < 3; n++) {
            double bound = 1 / Math.sqrt(sizes[n]);
            tensors.put("layers." + n + ".weight", uniform(rng, bound, sizes[n], sizes[n + 1]));
            tensors.put("layers." + n + ".bias", uniform(rng, bound, sizes[n + 1]));
        }
        return Parameters.copyOf(tensors, DType.FLOAT32, Device.CPU);
    }

    private static Tensor uniform(Rng rng, double bound, long... shape) {
        return rng.uniform(shape).times(2 * bound).minus(bound);
    }

    /// Log-probabilities of the actions, nats, `[B, 16]`.
    private static Tensor logProbs(Parameters policy, Tensor contexts) {
        Tensor state = contexts;
        for (int n = 0; n < 3; n++) {
            Tensor sum = state.matmul(policy.get("layers." + n + ".weight")).plus(policy.get("layers." + n + ".bias"));
            state = n < 2 ? Functional.relu(sum) : sum;
        }
        return state.logSoftmax(1);
    }

    private static Tensor best(Tensor weights, Tensor contexts) {
        return Ordering.argmax(contexts.matmul(weights), 1);
    }

    private void pretrain(Tensor old, int steps, Rng rng) {
        var schedule = new Schedule(Schedule.Shape.COSINE, 3e-3, 0, steps, 0.01);
        Descent.along(schedule).run(start, _ -> {
            Tensor contexts = rng.normal(CONTEXTS, SIZE);
            return supervised(logProbs(start, contexts), best(old, contexts));
        });
    }

    private static Tensor supervised(Tensor logProbs, Tensor best) {
        return logProbs.gather(1, best.unsqueeze(1)).mean().neg();
    }

    /// The weights after a training from the start, in the scope of the caller.
    ///
    /// @param mask of the weights that are learnt, by name; absent: all
    /// @param data which contexts and draws: a number
    Map<String, Tensor> trained(
            Algorithm algorithm, double rate, int steps, Optional<Map<String, Tensor>> mask, long data) {
        Map<String, Tensor> after = new LinkedHashMap<>();
        double clip = algorithm == Algorithm.GRPO_UNCLIPPED ? Double.POSITIVE_INFINITY : 1;
        try (Parameters policy = start.copy();
                Rng rng = Rng.seeded(Streams.of(seed, "contexts and draws", data))) {
            mask.ifPresent(policy::restrictTo);
            new Descent(steps, _ -> rate, AdamW.Config.DEFAULT, clip).run(policy, _ -> {
                Tensor contexts = rng.normal(CONTEXTS, SIZE);
                return loss(algorithm, policy, contexts, best(weights, contexts), rng);
            });
            policy.named().forEach((name, t) -> after.put(name, t.detach().copy()));
        }
        return after;
    }

    private Tensor loss(Algorithm algorithm, Parameters policy, Tensor contexts, Tensor best, Rng rng) {
        Tensor logProbs = logProbs(policy, contexts);
        return switch (algorithm) {
            case SFT -> supervised(logProbs, best);
            case GRPO, GRPO_UNCLIPPED -> reinforced(logProbs, logProbs.detach(), best, 0, rng);
            case GRPO_KL -> reinforced(logProbs, ofStart(contexts), best, KL_BETA, rng);
            case DPO -> preferred(logProbs, ofStart(contexts), best, rng);
        };
    }

    private Tensor ofStart(Tensor contexts) {
        try (var _ = Gradients.off()) {
            return logProbs(start, contexts);
        }
    }

    /// Actions of a policy, [B, count].
    private static Tensor drawn(Tensor logProbs, int count, Rng rng) {
        long contexts = logProbs.size(0);
        Tensor rows = logProbs.detach().exp().unsqueeze(1).expand(contexts, count, SIZE);
        return rng.categorical(rows.reshape(contexts * count, SIZE)).reshape(contexts, count);
    }

    private static Tensor reinforced(Tensor logProbs, Tensor reference, Tensor best, double beta, Rng rng) {
        Tensor actions = drawn(logProbs, GROUP, rng);
        Tensor rewards = actions.eq(best.unsqueeze(1).expand(actions.shape())).to(DType.FLOAT32);
        Tensor chosen = logProbs.gather(1, actions).reshape(-1, 1);
        var rollout = new Rollout(chosen, chosen.detach(), chosen.detach().isFinite());
        Tensor ofReference = reference.gather(1, actions).reshape(-1, 1);
        long count = chosen.size(0);
        return Grpo.grpo(rollout, ofReference, Grpo.advantages(rewards), 0.2, beta, count)
                .value();
    }

    /// Two actions of the start in each context; where one is right and the other is not, they are a pair.
    private static Tensor preferred(Tensor logProbs, Tensor reference, Tensor best, Rng rng) {
        Tensor actions = drawn(reference, 2, rng);
        Tensor right = actions.eq(best.unsqueeze(1).expand(actions.shape()));
        Tensor first = right.select(1, 0);
        Tensor pairs = Indexing.nonzero(
                        first.to(DType.INT64).minus(right.select(1, 1).to(DType.INT64)))
                .reshape(-1);
        Tensor mine = logProbs.gather(1, actions).indexSelect(0, pairs);
        Tensor others = reference.gather(1, actions).indexSelect(0, pairs);
        var lp = PreferenceLogProbs.judged(
                mine.select(1, 0),
                mine.select(1, 1),
                others.select(1, 0),
                others.select(1, 1),
                first.indexSelect(0, pairs));
        return Dpo.dpo(lp, DPO_BETA, Math.max(1, pairs.numel())).value();
    }

    /// Of fresh contexts: how often the likeliest action is right, and how likely the right one is.
    double[] judged(Map<String, Tensor> policy) {
        try (Scope _ = new Scope();
                var _ = Gradients.off();
                Parameters p = Parameters.copyOf(policy, DType.FLOAT32, Device.CPU)) {
            Tensor logProbs = logProbs(p, fresh);
            Tensor best = best(weights, fresh);
            return new double[] {
                Ordering.argmax(logProbs, 1).eq(best).to(DType.FLOAT64).mean().item(),
                logProbs.gather(1, best.unsqueeze(1)).exp().mean().item()
            };
        }
    }

    Parameters start() {
        return start;
    }

    long seed() {
        return seed;
    }

    @Override
    public void close() {
        start.close();
        weights.close();
        fresh.close();
    }
}

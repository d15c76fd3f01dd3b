package dev.kedge.objective.invariance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.Dapo;
import dev.kedge.objective.policy.DrGrpo;
import dev.kedge.objective.policy.Drpo;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.Gspo;
import dev.kedge.objective.policy.Gtpo;
import dev.kedge.objective.policy.LpReg;
import dev.kedge.objective.policy.PpoClip;
import dev.kedge.objective.policy.ReferenceKl;
import dev.kedge.objective.policy.Reinforce;
import dev.kedge.objective.policy.Rloo;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.objective.policy.Spine;
import dev.kedge.objective.variational.Dpg;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// The policy gradients under the laws: the chosen answers are the completions.
final class PolicyObjectives {
    private PolicyObjectives() {}

    /// By name, in order.
    static Map<String, Function<Batch, Loss>> all() {
        Map<String, Function<Batch, Loss>> all = family();
        all.putAll(weighted());
        all.putAll(forking());
        return all;
    }

    private static Map<String, Function<Batch, Loss>> family() {
        Map<String, Function<Batch, Loss>> all = new LinkedHashMap<>();
        all.put("REINFORCE", b -> Reinforce.reinforce(rollout(b), b.scalar("advantage"), b.rowsInStep()));
        all.put("RLOO", b -> Rloo.rloo(rollout(b), b.scalar("advantage"), b.rowsInStep()));
        all.put("PPO", b -> PpoClip.ppoClip(rollout(b), b.scalar("advantage"), 0.2, tokensInStep(b)));
        all.put("PPO, dual clip", b -> PpoClip.dualClip(rollout(b), b.scalar("advantage"), 0.2, 3, tokensInStep(b)));
        all.put("GRPO", b -> Grpo.grpo(rollout(b), b.ref("chosen"), b.scalar("advantage"), 0.2, 0.1, b.rowsInStep()));
        all.put(
                "GRPO without a reference",
                b -> Grpo.withoutReference(rollout(b), b.scalar("advantage"), 0.2, b.rowsInStep()));
        all.put("Dr. GRPO", b -> DrGrpo.drGrpo(rollout(b), b.scalar("advantage"), 0.2, 9, b.rowsInStep()));
        all.put("DAPO", b -> Dapo.dapo(rollout(b), b.scalar("advantage"), 0.2, 0.28, tokensInStep(b)));
        all.put("GSPO", b -> Gspo.gspo(rollout(b), b.scalar("advantage"), 0.9, 9, b.rowsInStep()));
        return all;
    }

    private static Map<String, Function<Batch, Loss>> weighted() {
        Map<String, Function<Batch, Loss>> all = new LinkedHashMap<>();
        all.put(
                "DRPO",
                b -> Drpo.drpo(
                        pairs(b),
                        columns(b.positive("reward"), b.positive("reward").not()),
                        20,
                        0.1,
                        2,
                        b.rowsInStep()));
        all.put("DRPO, trust region", b -> Drpo.trustRegion(rollout(b), SampledKl::k3, 0.7, tokensInStep(b)));
        all.put(
                "Lp-Reg",
                b -> LpReg.lpReg(
                        rollout(b),
                        b.scalar("advantage"),
                        new LpReg.Pull(b.ref("chosen"), -1, 0.5, 10),
                        1,
                        9,
                        tokensInStep(b)));
        all.put("Lp-Reg as published", PolicyObjectives::lpRegPublished);
        all.put(
                "DPG",
                b -> Dpg.dpg(
                        b.policySums("chosen"),
                        Dpg.weights(b.refSums("chosen").plus(b.typedScalar("reward")), b.oldSums("chosen")),
                        b.rowsInStep()));
        all.put("GTPO", b -> Gtpo.gtpo(rollout(b), shaped(b), conflicts(b), b.rowsInStep()));
        all.put("GTPO, uncounted", b -> Gtpo.uncounted(rollout(b), shaped(b), conflicts(b), b.rowsInStep()));
        return all;
    }

    private static Map<String, Function<Batch, Loss>> forking() {
        Map<String, Function<Batch, Loss>> all = new LinkedHashMap<>();
        all.put(
                "SPINE, policy",
                b -> Spine.policy(rollout(b), b.scalar("advantage"), topShare(b), 0.95, tokensInStep(b)));
        all.put("SPINE, band", b -> Spine.band(entropies(b.policy("chosen")), topShare(b), 0.3, 0.2, tokensInStep(b)));
        all.put(
                "SPINE, band of Otsu",
                b -> Spine.band(
                        entropies(b.policy("chosen")),
                        Spine.otsu(entropies(b.old("chosen")), b.mask("chosen"), 20),
                        0.3,
                        0.2,
                        tokensInStep(b)));
        all.put("SPINE, anchor", b -> Spine.anchor(entropies(b.policy("chosen")), topShare(b), 0.3, tokensInStep(b)));
        return all;
    }

    /// Each row as a question with two answers: the chosen and the rejected one, padded to the longer.
    private static Rollout pairs(Batch b) {
        return new Rollout(both(b, b::policy), both(b, b::old), both(b, b::mask));
    }

    private static Tensor both(Batch b, Function<String, Tensor> of) {
        Tensor chosen = of.apply("chosen");
        Tensor rejected = of.apply("rejected");
        long width = Math.max(chosen.size(1), rejected.size(1));
        Tensor rows = Tensor.stack(List.of(padded(chosen, width), padded(rejected, width)), 1);
        return rows.reshape(-1, width);
    }

    private static Tensor padded(Tensor table, long width) {
        Tensor zeros = Creation.zeros(table.dtype(), table.device(), table.size(0), width - table.size(1));
        return Tensor.cat(List.of(table, zeros), 1);
    }

    private static Tensor columns(Tensor first, Tensor second) {
        return Tensor.stack(List.of(first, second), 1).to(DType.FLOAT64);
    }

    /// A sampled KL stands for that over the vocabulary.
    private static Loss lpRegPublished(Batch b) {
        Tensor kl = ReferenceKl.inLoss(rollout(b), b.ref("chosen"), SampledKl::k3);
        return LpReg.published(rollout(b), b.scalar("advantage"), b.ref("chosen"), kl, -1, 0.5, 10, tokensInStep(b));
    }

    private static Tensor shaped(Batch b) {
        return Gtpo.shaped(b.scalar("advantage"), b.scalar("reward").abs(), 0.3, 5);
    }

    /// Tokens are what the reference's log-probabilities round to; each chosen answer is held against the rejected.
    private static Gtpo.Conflicts conflicts(Batch b) {
        Tensor advantages = Tensor.stack(
                List.of(b.scalar("advantage"), b.scalar("advantage").neg()), 1);
        Tensor tokens = Elementwise.round(both(b, b::ref)).to(DType.INT64);
        var found = Gtpo.conflicts(tokens, both(b, b::mask), advantages, 2);
        Tensor chosen =
                Creation.arange(0, b.rows().size(), tokens.device()).times(2).to(DType.INT64);
        return new Gtpo.Conflicts(
                found.weights()
                        .indexSelect(0, chosen)
                        .narrow(1, 0, b.mask("chosen").size(1)),
                found.counts().indexSelect(0, chosen));
    }

    /// A log-probability out of reach of 0 stands for the entropy of a token, and for its KL.
    private static Tensor entropies(Tensor logProbs) {
        return logProbs.plus(3);
    }

    /// Selected are tokens by what stands for their entropy under the old policy.
    private static Spine.Forking topShare(Batch b) {
        return Spine.topShare(entropies(b.old("chosen")), b.mask("chosen"), 0.6, 0.3, 0.5);
    }

    private static Rollout rollout(Batch b) {
        return new Rollout(b.policy("chosen"), b.old("chosen"), b.mask("chosen"));
    }

    private static long tokensInStep(Batch b) {
        return b.tokensInStep("chosen");
    }
}

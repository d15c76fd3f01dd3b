package dev.kedge.objective.invariance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.Dapo;
import dev.kedge.objective.policy.DrGrpo;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.Gspo;
import dev.kedge.objective.policy.PpoClip;
import dev.kedge.objective.policy.Reinforce;
import dev.kedge.objective.policy.Rloo;
import dev.kedge.objective.policy.Rollout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/// The policy gradients under the laws: the chosen answers are the completions.
final class PolicyObjectives {
    private PolicyObjectives() {}

    /// By name, in order.
    static Map<String, Function<Batch, Loss>> all() {
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

    private static Rollout rollout(Batch b) {
        return new Rollout(b.policy("chosen"), b.old("chosen"), b.mask("chosen"));
    }

    private static long tokensInStep(Batch b) {
        return b.tokensInStep("chosen");
    }
}

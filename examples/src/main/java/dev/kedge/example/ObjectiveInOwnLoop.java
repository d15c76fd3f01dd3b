package dev.kedge.example;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;

/// One objective in a loop of one's own: DPO on a policy that is a table, four answers to a single prompt.
///
/// An objective is a pure function of log-probabilities, so what they come from is the caller's matter: here they are
/// the log-softmax of four logits. Answer 0 beat answer 1 three times out of four; nobody compared answers 2 and 3.
public final class ObjectiveInOwnLoop {
    private static final double BETA = 0.5;
    private static final long[] CHOSEN = {0, 0, 0, 1};
    private static final long[] REJECTED = {1, 1, 1, 0};

    private ObjectiveInOwnLoop() {}

    public static void main(String[] args) {
        System.out.println(Arrays.toString(learn(500)));
    }

    /// The policy's probabilities of the four answers after so many steps, from a uniform reference.
    public static double[] learn(int steps) {
        try (Scope _ = new Scope(); // owns every tensor made below; parameters and optimiser have owners of their own
                Parameters policy = Parameters.zeros(Map.of("logits", new long[] {4}), DType.FLOAT64, Device.CPU);
                AdamW optimizer = new AdamW(policy, AdamW.Config.DEFAULT)) {
            Tensor chosen = Tensor.of(CHOSEN, 4);
            Tensor rejected = Tensor.of(REJECTED, 4);
            Tensor reference = policy.get("logits").detach().logSoftmax(0).copy();
            for (int step = 0; step < steps; step++) {
                try (Scope _ = new Scope()) { // a step is one scope: its tensors are gone at the brace
                    Tensor logProbs = policy.get("logits").logSoftmax(0);
                    PreferenceLogProbs lp = new PreferenceLogProbs(
                            logProbs.indexSelect(0, chosen),
                            logProbs.indexSelect(0, rejected),
                            reference.indexSelect(0, chosen),
                            reference.indexSelect(0, rejected));
                    // The denominator is an argument: parts of a step would give the pairs of the whole step.
                    Loss loss = Dpo.dpo(lp, BETA, CHOSEN.length);
                    loss.value().backward();
                    policy.clipGradient(1.0);
                    optimizer.step(0.05); // and sets the gradient to 0
                }
            }
            return policy.get("logits").detach().logSoftmax(0).exp().toDoubles();
        }
    }
}

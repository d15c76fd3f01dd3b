package dev.kedge.recipe.variational;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.variational.TargetEstimates;
import dev.kedge.recipe.variational.DpgConfig.Method;
import dev.kedge.recipe.variational.DpgInference.Criterion;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.Remembered;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.SavedCheckpoint;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.task.EnumerableLanguage.Samples;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Tensor;
import java.util.Map;

/// The KL-adaptive proposal of distributional policy gradients (arXiv:2205.11275, Algorithm 1): what samples come from,
/// the policy as it was when it last was nearer to the target. Keeps the running mean of Z.
final class DpgProposal implements Remembered, AutoCloseable {
    private final EnumerableLanguage language;
    private final Method method;
    private final double[] logScore;
    private final Decoder policy;
    private final Run run;
    private final Decoder proposal;

    /// Mean of the estimates of Z so far, and their number.
    private double normaliser = Double.NaN;

    private long estimates;

    /// The least divergence from the target that a proposal had.
    private double nearest = Double.POSITIVE_INFINITY;

    /// @param logScore `log P` of the target, of all texts: nats
    /// @param policy   that moves; the first proposal is a copy of it
    DpgProposal(EnumerableLanguage language, Method method, double[] logScore, Decoder policy, Run run) {
        this.language = language;
        this.method = method;
        this.logScore = logScore;
        this.policy = policy;
        this.run = run;
        proposal = policy.copy();
    }

    Samples sample(int count, Rng rng) {
        return language.sample(proposal, method.reads(), count, rng);
    }

    double normaliser() {
        return normaliser;
    }

    /// The policy's log-probabilities of a proposal's samples, without gradient: nats, `[B]`.
    Tensor policyLogProbs(Samples samples) {
        try (var _ = Gradients.off()) {
            return language.logProbs(policy, method.reads(), samples.tokens()).to(Device.CPU);
        }
    }

    /// Estimates Z and how near proposal and policy are; lets the policy take the proposal's place.
    ///
    /// @return both divergences from the target, where they can be estimated
    /// @throws RunFailedException if no sample so far has any mass under the target
    Map<String, Double> adapt(DpgInference.Proposal rule, Rng rng) {
        Samples samples = sample(rule.samples(), rng);
        var estimate = TargetEstimates.of(samples.of(logScore), samples.logProbs(), policyLogProbs(samples));
        double z = estimate.normaliser().item();
        normaliser = estimates == 0 ? z : (normaliser * estimates + z) / (estimates + 1);
        estimates++;
        if (!(normaliser > 0)) {
            String message = "none of " + rule.samples() + " samples has any mass under the target of `" + method.name()
                    + "`: its Z cannot be estimated; take more samples or an easier target";
            run.fail(message);
            throw new RunFailedException(message);
        }
        if (!(z > 0)) {
            return Map.of();
        }
        boolean kld = rule.criterion() != Criterion.TVD;
        double ofProposal = (kld ? estimate.klProposal() : estimate.tvdProposal()).item();
        double ofPolicy = (kld ? estimate.klPolicy() : estimate.tvdPolicy()).item();
        nearest = Math.min(nearest, ofProposal);
        boolean nearer = ofPolicy < ofProposal && (!rule.best() || ofPolicy < nearest);
        if (rule.criterion() == Criterion.INTERVAL || nearer) {
            nearest = Math.min(nearest, ofPolicy);
            try (var _ = Gradients.off()) {
                InPlace.copy_(proposal.parameters().flat(), policy.parameters().flat());
            }
        }
        String name = kld ? "kl" : "tvd";
        return Map.of("estimated_" + name + "/proposal", ofProposal, "estimated_" + name + "/policy", ofPolicy);
    }

    @Override
    public void save(Checkpoint checkpoint) {
        checkpoint
                .tensors("proposal", proposal.parameters().named())
                .number("normaliser", normaliser)
                .count("estimates", estimates)
                .number("nearest", nearest);
    }

    @Override
    public void restore(SavedCheckpoint saved) {
        saved.restore("proposal", proposal.parameters().named());
        normaliser = saved.number("normaliser");
        estimates = saved.count("estimates");
        nearest = saved.number("nearest");
    }

    @Override
    public void close() {
        proposal.close();
    }
}
